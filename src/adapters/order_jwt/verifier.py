"""Who is calling, by the JWT that they bear."""

from typing import Final

from order_core.errors import InvalidToken
from order_core.ports.clock import Clock
from order_core.ports.token_verifier import Principal
from order_jwt.claims import read_proof
from order_jwt.proven_tokens import ProvenTokens
from order_jwt.settings import JwtSettings
from order_jwt.signature import SignatureCheck

LONGEST_TOKEN: Final = 8192
"""Characters. Nothing longer is looked at, so that nobody can make us parse megabytes."""


class JwtVerifier:
    """Believes the JWTs that `settings` describe. Keeps the port `TokenVerifier`.

    A token that proved good is remembered, at most 10,000 of them, and spared the signature
    check next time; its times are compared with the clock each time.
    """

    def __init__(
        self, settings: JwtSettings, clock: Clock, *, proven: ProvenTokens | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._signature = SignatureCheck(settings.verification_key)
        self._proven = ProvenTokens() if proven is None else proven

    async def verify(self, token: str, /) -> Principal:
        if len(token) > LONGEST_TOKEN:
            raise InvalidToken(f"the token is longer than {LONGEST_TOKEN} characters")
        now = self._clock.now().timestamp()
        proof = self._proven.find(token)
        if proof is not None:
            if now >= proof.good_until:
                self._proven.forget(token)
            proof.check_at(now)
            return proof.principal
        proof = read_proof(self._signature.claims(token), self._settings)
        proof.check_at(now)
        # Only now: what was refused must not push out what is in use.
        self._proven.keep(token, proof)
        return proof.principal
