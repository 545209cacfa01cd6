"""What operators and their machines ask: /health/live, /health/ready, /metrics."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from order_core.errors import ClockAskew
from order_http.endpoint import Handler
from order_http.metrics import CONTENT_TYPE, Figures, Metrics, ReadFigures
from order_http.order_json import json_response
from order_http.problems import Problem
from order_http.shared_making import SharedMaking

Probe = Callable[[], Awaitable[None]]
"""Returns when the store answers and our clock agrees with it, raises when not."""

_log = logging.getLogger("order_http.errors")


async def live(request: Request) -> Response:  # noqa: ARG001 - nothing to know about it
    """200 as long as the process answers at all."""
    return json_response({"status": "live"})


def ready(probe: Probe, timeout_seconds: float) -> Handler:
    """200 when orders can be placed, 503 when the store is down or our clock is wrong."""

    async def ask() -> None:
        async with asyncio.timeout(timeout_seconds):
            await probe()

    # Anybody may ask, as often as he likes: a crowd must not take the store's connections.
    asked = SharedMaking(ask)

    async def handler(request: Request) -> Response:  # noqa: ARG001 - nothing to know about it
        try:
            await asked()
        except ClockAskew as error:
            _log.error("not ready: %s", error)
            raise Problem(
                "not_ready", "The clock of this process is wrong.", headers={"Retry-After": "30"}
            ) from None
        except Exception as error:  # noqa: BLE001 - whatever it raises, the store is not ready
            _log.warning("not ready: %s", type(error).__name__)
            raise Problem(
                "not_ready", "The store does not answer.", headers={"Retry-After": "5"}
            ) from None
        return json_response({"status": "ready"})

    return handler


def exposition(metrics: Metrics, read_figures: ReadFigures, timeout_seconds: float) -> Handler:
    """200, even without the store: then is when the figures are looked at."""

    async def expose() -> bytes:
        figures: Figures | None = None
        try:
            async with asyncio.timeout(timeout_seconds):
                figures = await read_figures()
        except Exception as error:  # noqa: BLE001 - the other metrics are shown all the same
            _log.warning("no figures: %s", type(error).__name__)
        return metrics.render(figures)

    # It costs more than most requests, and is not limited: see `ready`.
    exposed = SharedMaking(expose)

    async def handler(request: Request) -> Response:  # noqa: ARG001 - nothing to know about it
        return Response(await exposed(), headers={"Content-Type": CONTENT_TYPE})

    return handler
