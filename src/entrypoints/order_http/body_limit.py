"""Bounds what a request body may weigh and how long it may take."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_http.problems import Problem


class BodyLimit:
    """Wraps `receive`; the limits hold for chunked bodies, which announce no length, too.

    Whoever reads the body gets a `Problem` raised when it is too large or too slow.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, timeout_seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        # No int() of a header as long as the sender likes.
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > self._max_bytes):  # noqa: PLR2004 - digits that always fit
            raise self._too_large()
        read = 0
        complete = False
        deadline: float | None = None

        async def receive_bounded() -> Message:
            nonlocal read, complete, deadline
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
            return message

        await self._app(scope, receive_bounded, send)

    def _too_large(self) -> Problem:
        return Problem(
            "body_too_large", f"The body must not be larger than {self._max_bytes} bytes."
        )
