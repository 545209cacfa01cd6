"""Where the keys of an issuer come from."""

from dataclasses import dataclass
from typing import Protocol

from order_core.errors import InvalidToken
from order_jwt.keys import VerificationKey


class KeySource(Protocol):
    """The keys that one issuer signs with at present."""

    async def key_for(self, key_id: str | None, algorithm: str, /) -> VerificationKey:
        """The key that a token names in its header, which is not proved yet.

        Asked for every request, those with a token that was proved before among them: a
        proof ends when its key is not answered any more, or another one is. So it must be
        quick as a rule, and equal keys must compare equal.

        Raises:
            InvalidToken: this issuer has no such key, or not for this algorithm.
            TokenUnverifiable: whether it has cannot be found out at present.
        """
        ...

    async def key_instead_of(self, key: VerificationKey, /) -> VerificationKey | None:
        """The only key for the algorithm of `key`, which did not prove a token without a name.

        None if that is `key` still, as it is for most forgeries.
        """
        ...


@dataclass(frozen=True, slots=True)
class StaticKey:
    """The one key that somebody wrote into the settings, whatever a token calls it."""

    key: VerificationKey

    async def key_for(self, _key_id: str | None, algorithm: str, /) -> VerificationKey:
        if algorithm != self.key.algorithm:
            raise InvalidToken(f"the token must be signed with {self.key.algorithm}")
        return self.key

    async def key_instead_of(self, _key: VerificationKey, /) -> VerificationKey | None:
        return None
