"""Who is calling, by the JWT that they bear."""

import asyncio
from collections.abc import Iterable
from typing import Final

from order_core.errors import InvalidToken, TokenUnverifiable
from order_core.ports.clock import Clock
from order_core.ports.token_verifier import Principal
from order_jwt.claims import Proof, read_proof
from order_jwt.key_source import KeySource
from order_jwt.keys import VerificationKey
from order_jwt.proven_tokens import Proven, ProvenTokens
from order_jwt.revocations import Revocations
from order_jwt.signature import check_signature
from order_jwt.trust import Trust
from order_jwt.unproven import UnprovenToken

LONGEST_TOKEN: Final = 8192
"""Characters. Nothing longer is looked at, so that nobody can make us parse megabytes."""

REVOCATION_SECONDS: Final = 2.0


class JwtVerifier:
    """Believes the JWTs that `trusts` describe. Keeps the port `TokenVerifier`.

    A token is looked at from its cheapest side first, and its signature last: a forged one
    must be well made to cost more than reading it. One that proved good is remembered, at
    most 10,000 of them, and spared the signature check next time. Its times, its key and
    its revocation are asked about each time. Without `revocations`, tokens are left to expire.

    Raises:
        ValueError: no trust at all, or two in the same issuer.
    """

    def __init__(
        self,
        trusts: Iterable[Trust],
        clock: Clock,
        *,
        revocations: Revocations | None = None,
        revocation_seconds: float = REVOCATION_SECONDS,
        proven: ProvenTokens | None = None,
    ) -> None:
        self._trusts: dict[str | None, Trust] = {}
        for trust in trusts:
            if trust.issuer in self._trusts:
                raise ValueError(f"the issuer {trust.issuer} is trusted twice")
            self._trusts[trust.issuer] = trust
        if not self._trusts:
            raise ValueError("a verifier that trusts nobody lets nobody in")
        self._clock = clock
        self._revocations = revocations
        self._revocation_seconds = revocation_seconds
        self._proven = ProvenTokens() if proven is None else proven

    async def verify(self, token: str, /) -> Principal:
        if len(token) > LONGEST_TOKEN:
            raise InvalidToken(f"the token is longer than {LONGEST_TOKEN} characters")
        now = self._clock.now().timestamp()
        remembered = known = self._proven.find(token)
        try:
            if known is None or not await known.still_holds(now):
                known = await self._prove(token, now)
            if self._revocations is not None:
                await self._check_revocation(self._revocations, known.proof, token)
        except InvalidToken:
            self._proven.forget(token)
            raise
        if known is not remembered:
            # Only now: what was refused must not push out what is in use.
            self._proven.keep(token, known)
        return known.proof.principal

    async def _prove(self, text: str, now: float) -> Proven:
        token = UnprovenToken.read(text)
        trust = self._trust_in(token.claims.get("iss"))
        # Before the key: an expired token must not make us look for a key that is gone.
        proof = read_proof(token.claims, trust)
        proof.check_at(now)
        key = await _proving_key(token, trust.keys)
        return Proven(proof, key, token.key_id, trust.keys)

    def _trust_in(self, issuer: object) -> Trust:
        trust = self._trusts.get(issuer) if isinstance(issuer, str) else None
        trust = trust or self._trusts.get(None)
        if trust is None:
            raise InvalidToken("the token is from another issuer")
        return trust

    async def _check_revocation(self, revocations: Revocations, proof: Proof, token: str) -> None:
        try:
            async with asyncio.timeout(self._revocation_seconds):
                revoked = await revocations.is_revoked(proof, token)
        except TimeoutError:
            raise TokenUnverifiable("it is not known in time whether it was revoked") from None
        if revoked:
            raise InvalidToken("the token was revoked")


async def _proving_key(token: UnprovenToken, keys: KeySource) -> VerificationKey:
    key = await keys.key_for(token.key_id, token.algorithm)
    try:
        check_signature(token, key)
    except InvalidToken:
        # Where keys have no names, a new one is noticed by the old one's failure only.
        newer = await keys.key_instead_of(key) if token.key_id is None else None
        if newer is None:
            raise
        check_signature(token, newer)
        return newer
    return key
