"""Bounds what a request body may weigh and how long it may take."""

import asyncio
from typing import Final

from starlette.types import Message, Receive

from order_http.first_headers import FirstHeaders
from order_http.problems import Problem

_SMALL: Final = 32 * 1024
"""Bytes; orders and events of providers are hardly ever larger."""


class BodyLimit:
    """The limits hold for chunked bodies, which announce no length, too.

    Whoever reads the body gets a `Problem` raised when it is too large or too slow, or when
    those of all requests together are too large. Small ones are always read, so that somebody
    who sends many large ones only shuts out others like them.
    """

    def __init__(self, *, max_bytes: int, max_bytes_of_all: int, timeout_seconds: float) -> None:
        self.max_bytes = max_bytes
        self.max_bytes_of_all = max_bytes_of_all
        self.timeout_seconds = timeout_seconds
        self.held = 0
        """Of all bodies together; of each, what is above the size of small ones."""

    def check_announced(self, first: FirstHeaders) -> None:
        """Raises Problem when the request itself says that its body is too large."""
        raw = first.get(b"content-length")
        if raw is None:
            return
        announced = raw.decode("latin-1")
        # No int() of a header as long as the sender likes.
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > self.max_bytes):  # noqa: PLR2004 - digits that always fit
            raise self.too_large()

    def too_large(self) -> Problem:
        return Problem(
            "body_too_large", f"The body must not be larger than {self.max_bytes} bytes."
        )


class BoundedBody:
    """One body, as it comes in through `receive`."""

    def __init__(self, limit: BodyLimit, receive: Receive) -> None:
        self._limit = limit
        self._receive = receive
        self._read = self._held = 0
        self._complete = False
        self._deadline: float | None = None

    async def receive(self) -> Message:
        """Keeps the promise of ASGI's `receive`."""
        if self._complete:
            return await self._receive()  # Waits for the client to go away, however long.
        limit = self._limit
        loop = asyncio.get_running_loop()
        self._deadline = self._deadline or loop.time() + limit.timeout_seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise Problem(
                "body_too_slow",
                f"The body did not arrive within {limit.timeout_seconds:g} seconds.",
            ) from None
        self._complete = not message.get("more_body", False)
        self._read += len(message.get("body", b""))
        if self._read > limit.max_bytes:
            raise limit.too_large()
        self._hold(max(self._read - _SMALL, 0))
        if self._held and limit.held > limit.max_bytes_of_all:
            raise Problem(
                "overloaded", "Too many large bodies at once.", headers={"Retry-After": "2"}
            )
        return message

    def release(self) -> None:
        """Nobody needs the body any more."""
        self._hold(0)

    def _hold(self, size: int) -> None:
        self._limit.held += size - self._held
        self._held = size
