"""Writes one JSON line about each answer, and counts it."""

import json
import logging
from functools import lru_cache
from typing import Final

from starlette.routing import Route
from starlette.types import Scope

from order_http.access_record import ACCESS, AccessRecord, what_all_have_in_common
from order_http.metrics import Metrics

_LONGEST_METHOD: Final = 16

_log = logging.getLogger(ACCESS)


class AccessLog:
    """The line names the route, not the address: no id, token, query or person is in it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._alike = what_all_have_in_common()

    def tell(self, scope: Scope, request_id: str, status: int | None, seconds: float) -> None:
        """`status` None: the client went away, or the work was cancelled, before an answer."""
        method, route = scope["method"], _template(scope)
        self._metrics.count_request(method, route, status, seconds)
        if not _log.isEnabledFor(logging.INFO):
            return
        answered = "null" if status is None else status
        # The request's name is plain; so is a number.
        line = (
            f'{{"request_id": "{request_id}", {_asked(method[:_LONGEST_METHOD], route)}, '
            f'"status": {answered}, "milliseconds": {seconds * 1000:.3f}}}'
        )
        _log.handle(AccessRecord(line, request_id, self._alike))


@lru_cache(maxsize=256)
def _asked(method: str, route: str) -> str:
    return f'"method": {json.dumps(method)}, "route": {json.dumps(route)}'


def _template(scope: Scope) -> str:
    # Inside another application, what nobody here matched still names its mount.
    route = scope.get("route")
    return route.path if isinstance(route, Route) else "unmatched"
