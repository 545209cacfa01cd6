"""The tokens that were verified lately, so that a busy caller is not verified each time."""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from order_jwt.claims import Proof
from order_jwt.key_source import KeySource
from order_jwt.keys import VerificationKey

MOST_TOKENS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof, and the key that it stands and falls with."""

    proof: Proof
    key: VerificationKey = field(repr=False)
    key_id: str | None
    keys: KeySource = field(repr=False)

    async def still_holds(self, now: float) -> bool:
        """Whether the key is still what the issuer signs with, under the same name.

        Raises:
            InvalidToken: the token's time is over, or there is no such key any more.
            TokenUnverifiable: whether there is cannot be found out at present.
        """
        self.proof.check_at(now)
        key = await self.keys.key_for(self.key_id, self.key.algorithm)
        return key is self.key or key == self.key


class ProvenTokens:
    """Remembers the proofs of the tokens that were used last, and at most `most` of them.

    Keeps digests instead of tokens: a dump of our memory lets nobody in. It says nothing
    about time; a proof that was right yesterday must be checked against the clock again.
    """

    def __init__(self, most: int = MOST_TOKENS) -> None:
        self._most = most
        self._proofs: OrderedDict[bytes, Proven] = OrderedDict()

    def __len__(self) -> int:
        return len(self._proofs)

    def find(self, token: str) -> Proven | None:
        digest = digest_of(token)
        proven = self._proofs.get(digest)
        if proven is not None:
            self._proofs.move_to_end(digest)
        return proven

    def keep(self, token: str, proven: Proven) -> None:
        self._proofs[digest_of(token)] = proven
        if len(self._proofs) > self._most:
            self._proofs.popitem(last=False)

    def forget(self, token: str) -> None:
        self._proofs.pop(digest_of(token), None)


def digest_of(token: str) -> bytes:
    """By which a token can be found again, and not be used."""
    # A lone surrogate cannot be encoded otherwise, and a caller may send one.
    return sha256(token.encode(errors="surrogatepass")).digest()
