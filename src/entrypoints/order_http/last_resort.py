"""Answers a problem that nobody below has answered, so that no request goes without."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_http.problems import Problem, problem_response
from order_http.request_id import current_request_id

_log = logging.getLogger("order_http.errors")


class AnswerBrokenOff(Exception):
    """Half an answer is out, and the other half will never come."""


class LastResort:
    """Stands inside the middleware that names and logs requests, unlike Starlette's own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except Problem as refusal:
            problem = refusal
        except Exception:  # noqa: BLE001 - whatever it is, it is told in our words
            request_id = current_request_id.get()
            # The message stays free of the request: a traceback is enough to find the fault.
            _log.exception("request %s failed", request_id, extra={"request_id": request_id})
            if started:
                # The server must break the connection, and logs in its own words what it gets.
                raise AnswerBrokenOff from None
            problem = Problem(
                "internal_error",
                "The service failed in a way nobody foresaw. Its log names this request.",
            )
        else:
            return
        await problem_response(problem)(scope, receive, send)
