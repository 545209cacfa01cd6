"""The endpoint POST /api/webhooks/{provider}."""

import logging
import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from order_core.assembly import OrderCore
from order_core.errors import (
    OrderCoreError,
    UnknownProvider,
    WebhookRejected,
    WebhookUnverifiable,
)
from order_http.endpoint import Handler
from order_http.in_flight import InFlight
from order_http.metrics import Metrics
from order_http.order_json import json_response
from order_http.problem_codes import CODES
from order_http.problems import Problem
from order_http.request_id import current_request_id

WEBHOOK_PATH: Final = "/api/webhooks/{provider}"
PROVIDER: Final = re.compile(r"[a-z0-9_-]{1,40}")

_log: Final = logging.getLogger("order_http.webhooks")


def receive_webhook(core: OrderCore, in_flight: InFlight, metrics: Metrics) -> Handler:
    """200 only once the event is stored; anything else makes the provider send it again.

    No token is asked for: the signature over the raw body proves who is speaking.
    """

    async def handler(request: Request) -> Response:
        provider: str = request.path_params["provider"]
        if not PROVIDER.fullmatch(provider):
            raise _nobody_there()
        try:
            body = await request.body()
        except ClientDisconnect:
            raise Problem("bad_request", "The body ended early.") from None
        work = core.receive_webhook(provider, body, _headers(request))
        try:
            event = await in_flight.run(work)
        except UnknownProvider:
            raise _nobody_there() from None
        except WebhookRejected as refusal:
            metrics.count_webhook(provider, "rejected")
            _log.warning(
                "an event of %s was rejected: %s",
                provider,
                refusal.because,
                extra={"request_id": current_request_id.get()},
            )
            raise
        except WebhookUnverifiable:
            metrics.count_webhook(provider, "unverifiable")
            raise
        except OrderCoreError:
            metrics.count_webhook(provider, "not_stored")
            raise
        metrics.count_webhook(provider, event.verdict)
        return json_response({"received": True, "verdict": event.verdict})

    return handler


def _headers(request: Request) -> Mapping[str, str]:
    """Names in lower case; one that comes twice is one list, as HTTP has it."""
    return {name: ", ".join(request.headers.getlist(name)) for name in request.headers}


def _nobody_there() -> Problem:
    code = "webhook_not_found"
    return Problem(code, CODES[code][1] + ".")
