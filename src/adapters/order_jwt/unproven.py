"""What a token says of itself, before anything proves it."""

import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from jwt.utils import base64url_decode

from order_core.errors import InvalidToken

MALFORMED: Final = "the token is malformed"
LONGEST_KEY_ID: Final = 200

_SEGMENTS: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)

ACCESS_TOKEN_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
"""Values of the `typ` header, in small letters. A token without one is a `jwt`."""


@dataclass(frozen=True, slots=True)
class UnprovenToken:
    """Enough to refuse it and to look for its key; never enough to believe it.

    Of the header nothing else is read: a token that brings its key along, or says where to
    fetch it (`jwk`, `jku`, `x5c`, `x5u`), is looked at like any other.
    """

    text: str = field(repr=False)
    algorithm: str
    key_id: str | None
    claims: dict[str, Any] = field(repr=False)

    @classmethod
    def read(
        cls, text: str, types: frozenset[str] = ACCESS_TOKEN_TYPES, what: str = "an access token"
    ) -> "UnprovenToken":
        """The parts of `text`, which is of bounded length, and says of itself that it is `what`.

        Raises:
            InvalidToken: not a signed JWT, or of a kind that is not among `types`.
        """
        if _SEGMENTS.fullmatch(text) is None:
            raise InvalidToken(MALFORMED)
        header_text, claims_text, _signature = text.split(".")
        header = _json_object(header_text)
        _check_kind(header, types, what)
        algorithm = header.get("alg")
        return cls(
            text,
            # An algorithm that is no text is none that anybody signs with.
            algorithm if isinstance(algorithm, str) else "",
            _key_id(header),
            _json_object(claims_text),
        )


def _check_kind(header: dict[str, Any], types: frozenset[str], what: str) -> None:
    # PyJWT understands the `b64` extension; no issuer of bearer tokens has a use for it.
    if "crit" in header or "b64" in header:
        raise InvalidToken("the token demands an extension that is not supported")
    if "cty" in header:
        raise InvalidToken("a token inside a token is not supported")
    kind = header.get("typ", "JWT")
    # Issuers sign other things with the same key, such as log-out notices (RFC 8725, 3.11).
    if not isinstance(kind, str) or kind.lower() not in types:
        raise InvalidToken(f"the token is not {what}")


def _key_id(header: dict[str, Any]) -> str | None:
    if "kid" not in header:
        return None
    key_id = header["kid"]
    if not isinstance(key_id, str) or len(key_id) > LONGEST_KEY_ID:
        raise InvalidToken(MALFORMED)
    return key_id


def _json_object(segment: str) -> dict[str, Any]:
    try:
        value = json.loads(
            base64url_decode(segment), object_pairs_hook=_without_repeats, parse_constant=_refuse
        )
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidToken(MALFORMED) from None
    if not isinstance(value, dict):
        raise InvalidToken(MALFORMED)
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    # Two readers of a repeated member may take different ones (RFC 7519, 4).
    if len(members) != len(pairs):
        raise ValueError("a name comes twice")
    return members


def _refuse(_constant: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")
