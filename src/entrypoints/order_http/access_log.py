"""Writes one JSON line about each answer, and counts it."""

import logging
import time

import orjson
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_http.metrics import Metrics
from order_http.request_id import current_request_id

_log = logging.getLogger("order_http.access")


class AccessLog:
    """The line names the route, not the address: no id, token, query or person is in it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status: int | None = None

        async def send_watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        finally:
            seconds = time.perf_counter() - began
            method, route = scope["method"], _template(scope)
            self._metrics.count_request(method, route, status, seconds)
            request_id = current_request_id.get()
            line = {
                "request_id": request_id,
                "method": method[:16],
                "route": route,
                # None: the client went away, or the work was cancelled, before an answer.
                "status": status,
                "milliseconds": round(seconds * 1000, 3),
            }
            _log.info("%s", orjson.dumps(line).decode(), extra={"request_id": request_id})


def _template(scope: Scope) -> str:
    # Inside another application, what nobody here matched still names its mount.
    route = scope.get("route")
    return route.path if isinstance(route, Route) else "unmatched"
