"""Gives every request a name that stands in its answer and in every log line about it."""

import os
import re
from contextvars import ContextVar
from typing import Final

from order_http.first_headers import FirstHeaders

RAW_HEADER: Final = b"x-request-id"
# A caller's own name is kept so that he finds it again, unless it could break a log line.
_ACCEPTED: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

current_request_id: ContextVar[str | None] = ContextVar("order_http_request_id", default=None)
"""For the logging of whoever works for the request; None outside of requests."""


def request_id_of(first: FirstHeaders) -> str:
    """The name that the caller gave the request, or a new one."""
    given = first.get(RAW_HEADER)
    if given is not None and _ACCEPTED.fullmatch(name := given.decode("latin-1")):
        return name
    return os.urandom(16).hex()
