"""How long ago a request came in."""

import time
from datetime import timedelta
from typing import Final

from starlette.types import Scope

_ARRIVED: Final = "order_http.arrived"


def note_arrival(scope: Scope) -> None:
    """Its head is here; nothing of it was read. An application around ours may know it already."""
    scope.setdefault(_ARRIVED, time.perf_counter())


def waited_since_arrival(scope: Scope) -> timedelta:
    """What it has waited since, whatever for: its body, those who are asked about its token.

    Nothing, if a host hands requests to our routes past our application.
    """
    now = time.perf_counter()
    return timedelta(seconds=now - scope.get(_ARRIVED, now))
