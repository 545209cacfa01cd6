"""Claims that are signed for one purpose, and can serve no other."""

from collections.abc import Mapping
from typing import Any

import jwt

from order_jwt.keys import VerificationKey
from order_jwt.signature import check_signature
from order_jwt.unproven import UnprovenToken


class ClaimsOfOneKind:
    """Reads tokens whose `typ` header is `kind`, signed with `key`: never an access token."""

    def __init__(self, key: VerificationKey, kind: str) -> None:
        self._key = key
        self._kind = kind

    def __call__(self, token: str) -> dict[str, Any]:
        """The claims of `token`, authentic but not checked themselves; its length is bounded.

        Raises:
            InvalidToken: not a signed JWT of this kind, or not signed with the key.
        """
        unproven = UnprovenToken.read(token, frozenset({self._kind}), f"of the kind {self._kind}")
        check_signature(unproven, self._key)
        return unproven.claims


def sign(secret: str, claims: Mapping[str, Any], *, kind: str) -> str:
    """An HS256 token of the `claims`, whose `typ` header says that it is of this `kind`.

    Raises:
        ValueError: a weak secret, or none at all but a key.
    """
    key = VerificationKey.from_secret(secret)
    return jwt.encode(dict(claims), secret, algorithm=key.algorithm, headers={"typ": kind})
