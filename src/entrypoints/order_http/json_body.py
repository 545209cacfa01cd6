"""Reads a JSON body exactly: no float, no lost key, no surprise."""

import json
from decimal import Decimal
from typing import Any, Final, NoReturn

from starlette.requests import Request
from starlette.types import Receive

from order_http.first_headers import FirstHeaders, first_of
from order_http.problems import Problem

DEEPEST: Final = 16
MOST_VALUES: Final = 10_000
"""In all objects and arrays together: an order of as many items as may be has half of that. Each
costs a hundred times what it takes in the body, if only to say what is wrong with it."""

_TO_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))


async def read_json(request: Request) -> Any:  # noqa: ANN401 - JSON is anything
    """The body's value; numbers with a point or exponent as Decimal.

    Raises:
        Problem: another content type (415), not JSON, a key twice, nested too deep, or with
            too many values (400).
    """
    _check_content_type(first_of(request.scope["headers"]))
    return parse_json(await _body_of(request.receive))


async def read_optional_json(request: Request) -> Any:  # noqa: ANN401 - JSON is anything
    """As `read_json`; no body at all is an empty object, whatever its content type."""
    first = first_of(request.scope["headers"])
    if b"transfer-encoding" not in first and first.get(b"content-length", b"0") == b"0":
        return {}
    return await read_json(request)


async def _body_of(receive: Receive) -> bytes:
    # Starlette's `Request.body` goes through two generators for the one piece that most bodies are.
    pieces: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem("bad_request", "The body ended early.")
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """See `read_json`."""
    # The first count is cheap and high, because a comma may stand in a text.
    if body.count(b",") >= MOST_VALUES and _outside_strings(body).count(b",") >= MOST_VALUES:
        raise Problem("malformed_json", f"The body has more than {MOST_VALUES} values.")
    try:
        value = _EXACT.decode(body.decode())
    except _KeyTwiceError:
        raise Problem("malformed_json", "An object has one key twice.") from None
    except RecursionError:
        raise _too_deep() from None
    except (ValueError, ArithmeticError):
        # ValueError: syntax, UTF-8, or an integer of thousands of digits.
        # ArithmeticError: an exponent that even Decimal cannot hold.
        raise Problem("malformed_json", "The body is not valid JSON in UTF-8.") from None
    if _is_too_deep(body):
        raise _too_deep()
    return value


def _check_content_type(first: FirstHeaders) -> None:
    content_type = first.get(b"content-type", b"").decode("latin-1")
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if media_type.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"}:
        raise Problem(
            "unsupported_media_type", "Send the body with Content-Type: application/json, in UTF-8."
        )
    if first.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Problem("unsupported_media_type", "Send the body without Content-Encoding.")


class _KeyTwiceError(Exception):
    pass


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Which of two values would count depends on the reader; a proxy may have read the other.
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _KeyTwiceError
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


_EXACT: Final = json.JSONDecoder(
    parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_repetition
)


def _is_too_deep(body: bytes) -> bool:
    """Whether valid JSON is nested deeper than `DEEPEST`; in C, whatever the body."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    brackets = _outside_strings(body).translate(_TO_SQUARE, _NO_BRACKETS)
    for _ in range(DEEPEST):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _outside_strings(body: bytes) -> bytes:
    unescaped = body.replace(rb"\\", b"").replace(rb"\"", b"")
    return b"".join(unescaped.split(b'"')[::2])


def _too_deep() -> Problem:
    return Problem("malformed_json", f"The body is nested deeper than {DEEPEST} levels.")
