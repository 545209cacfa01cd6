"""Reads the Idempotency-Key header."""

import re
from typing import Final

from starlette.requests import Request

from order_http.first_headers import RawHeaders
from order_http.problems import Problem

_BARE: Final = re.compile(r"[!#-~][!-~]{0,254}")
_QUOTED: Final = re.compile(r'"((?:[!#-\[\]-~]|\\["\\]){1,255})"')


def idempotency_key(request: Request) -> str | None:
    """The key, or None without the header. `abc` and `"abc"` are one key.

    Raises:
        Problem: the header comes twice, or is not 1 to 255 visible ASCII characters.
    """
    raw: RawHeaders = request.scope["headers"]
    headers = [value for name, value in raw if name == b"idempotency-key"]
    if not headers:
        return None
    value = headers[0].decode("latin-1").strip(" \t")
    if len(headers) == 1:
        if _BARE.fullmatch(value):
            return value
        if quoted := _QUOTED.fullmatch(value):
            return re.sub(r"\\(.)", r"\1", quoted[1])
    raise Problem(
        "invalid_idempotency_key",
        "Idempotency-Key must come once, with 1 to 255 visible ASCII characters.",
    )
