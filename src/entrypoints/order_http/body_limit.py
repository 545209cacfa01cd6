"""Bounds what a request body may weigh and how long it may take."""

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_http.problems import Problem

_SMALL: Final = 32 * 1024
"""Bytes; orders and events of providers are hardly ever larger."""


class BodyLimit:
    """Wraps `receive`; the limits hold for chunked bodies, which announce no length, too.

    Whoever reads the body gets a `Problem` raised when it is too large or too slow, or when
    those of all requests together are too large. Small ones are always read, so that somebody
    who sends many large ones only shuts out others like them.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, max_bytes_of_all: int, timeout_seconds: float
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_bytes_of_all = max_bytes_of_all
        self._timeout_seconds = timeout_seconds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        # No int() of a header as long as the sender likes.
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > self._max_bytes):  # noqa: PLR2004 - digits that always fit
            raise self._too_large()
        read = held = 0
        complete = False
        deadline: float | None = None

        async def receive_bounded() -> Message:
            nonlocal read, held, complete, deadline
            if complete:
                return await receive()  # Waits for the client to go away, however long.
            loop = asyncio.get_running_loop()
            deadline = deadline or loop.time() + self._timeout_seconds
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise Problem(
                    "body_too_slow",
                    f"The body did not arrive within {self._timeout_seconds:g} seconds.",
                ) from None
            complete = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > self._max_bytes:
                raise self._too_large()
            self._held += max(read - _SMALL, 0) - held
            held = max(read - _SMALL, 0)
            if held and self._held > self._max_bytes_of_all:
                raise Problem(
                    "overloaded", "Too many large bodies at once.", headers={"Retry-After": "2"}
                )
            return message

        try:
            await self._app(scope, receive_bounded, send)
        finally:
            self._held -= held

    def _too_large(self) -> Problem:
        return Problem(
            "body_too_large", f"The body must not be larger than {self._max_bytes} bytes."
        )
