"""Whether a token was signed with our key, before anything in it is believed."""

import json
import re
from typing import Any, Final

from jwt.api_jws import PyJWS
from jwt.exceptions import InvalidSignatureError, PyJWTError

from order_core.errors import InvalidToken
from order_jwt.keys import VerificationKey

_SEGMENTS: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)

_ACCESS_TOKEN_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})

_MALFORMED: Final = "the token is malformed"


class SignatureCheck:
    """Reads the claims of tokens that `key` has signed."""

    def __init__(self, key: VerificationKey) -> None:
        self._key = key
        # It knows the key's algorithm and no other, so there is nothing a token could switch to.
        self._jws = PyJWS(algorithms=[key.algorithm])

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of `token`, of bounded length: authentic, but not yet checked themselves.

        Raises:
            InvalidToken: not a signed JWT, or not signed with the key.
        """
        if _SEGMENTS.fullmatch(token) is None:
            raise InvalidToken(_MALFORMED)
        try:
            self._check_header(self._jws.get_unverified_header(token))
            signed: bytes = self._jws.decode(token, self._key.key, [self._key.algorithm])
        except InvalidSignatureError:
            raise InvalidToken("the signature of the token is wrong") from None
        except PyJWTError:
            raise InvalidToken(_MALFORMED) from None
        return _json_object(signed)

    def _check_header(self, header: dict[str, Any]) -> None:
        # PyJWT understands the `b64` extension; no issuer of bearer tokens has a use for it.
        if "crit" in header or "b64" in header:
            raise InvalidToken("the token demands an extension that is not supported")
        if header.get("alg") != self._key.algorithm:
            raise InvalidToken(f"the token must be signed with {self._key.algorithm}")
        if "cty" in header:
            raise InvalidToken("a token inside a token is not supported")
        kind = header.get("typ", "JWT")
        # Issuers sign other things with the same key, such as log-out notices (RFC 8725, 3.11).
        if not isinstance(kind, str) or kind.lower() not in _ACCESS_TOKEN_TYPES:
            raise InvalidToken("the token is not an access token")


def _json_object(signed: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(signed, object_pairs_hook=_without_repeats, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidToken(_MALFORMED) from None
    if not isinstance(claims, dict):
        raise InvalidToken(_MALFORMED)
    return claims


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    claims = dict(pairs)
    # Two readers of a repeated claim may take different ones (RFC 7519, 4).
    if len(claims) != len(pairs):
        raise ValueError("a name comes twice")
    return claims


def _refuse(_constant: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")
