"""The tokens that were verified lately, so that a busy caller is not verified each time."""

from collections import OrderedDict
from hashlib import sha256
from typing import Final

from order_jwt.claims import Proof

MOST_TOKENS: Final = 10_000


class ProvenTokens:
    """Remembers the proofs of the tokens that were used last, and at most `most` of them.

    Keeps digests instead of tokens: a dump of our memory lets nobody in. It says nothing
    about time; a proof that was right yesterday must be checked against the clock again.
    """

    def __init__(self, most: int = MOST_TOKENS) -> None:
        self._most = most
        self._proofs: OrderedDict[bytes, Proof] = OrderedDict()

    def __len__(self) -> int:
        return len(self._proofs)

    def find(self, token: str) -> Proof | None:
        digest = _digest(token)
        proof = self._proofs.get(digest)
        if proof is not None:
            self._proofs.move_to_end(digest)
        return proof

    def keep(self, token: str, proof: Proof) -> None:
        self._proofs[_digest(token)] = proof
        if len(self._proofs) > self._most:
            self._proofs.popitem(last=False)

    def forget(self, token: str) -> None:
        self._proofs.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    # A lone surrogate cannot be encoded otherwise, and a caller may send one.
    return sha256(token.encode(errors="surrogatepass")).digest()
