"""How long ago a request came in."""

import time
from datetime import timedelta
from typing import Final

from starlette.types import Scope

_ARRIVED: Final = "order_http.arrived"


def note_arrival(scope: Scope) -> float:
    """Its head is here; nothing of it was read. The moment, by `time.perf_counter`."""
    scope[_ARRIVED] = now = time.perf_counter()
    return now


def waited_since_arrival(scope: Scope) -> timedelta:
    """What it has waited since, whatever for: its body, those who are asked about its token."""
    return timedelta(seconds=time.perf_counter() - scope[_ARRIVED])
