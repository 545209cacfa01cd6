"""Which tokens were proven lately, so that whoever holds one is not taken for a guesser."""

from hashlib import sha256
from typing import Final

from starlette.types import Scope

_MOST: Final = 10_000


class ProvenTokens:
    """Knows the latest `_MOST` by their hashes. What it knows is admitted, and still verified."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[bytes, None] = {}

    def __len__(self) -> int:
        return len(self._known)

    def note(self, scope: Scope) -> None:
        """The token of this request was proven just now."""
        token = _hash_of_token(scope)
        self._known.pop(token, None)
        if len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        self._known[token] = None

    def forget(self, scope: Scope) -> None:
        """The token of this request proves nothing any more."""
        self._known.pop(_hash_of_token(scope), None)

    def knows(self, scope: Scope) -> bool:
        """Whether the token of this request was proven lately."""
        return _hash_of_token(scope) in self._known


def _hash_of_token(scope: Scope) -> bytes:
    # All of them: beside one that is known another could be guessed.
    return sha256(b"\n".join([v for n, v in scope["headers"] if n == b"authorization"])).digest()
