"""Bounds what an answer costs while a client reads it slowly."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PIECE: Final = 16 * 1024
"""Bytes; what is shorter goes out at once."""


class AnswerPace:
    """Hands a long answer to the server piece by piece, each when there is room for it.

    In one piece it would lie in memory as often as there are clients that do not read. After
    `timeout_seconds` the connection is broken.
    """

    def __init__(self, app: ASGIApp, *, timeout_seconds: float) -> None:
        self._app = app
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given_up = False

        async def send_paced(message: Message) -> None:
            nonlocal given_up
            body = message.get("body", b"")
            if given_up:
                # The answer stays without its end, for which the server breaks the connection.
                return
            if len(body) <= _PIECE:
                await send(message)
                return
            more = message.get("more_body", False)
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    for start in range(0, len(body), _PIECE):
                        piece = body[start : start + _PIECE]
                        last = start + _PIECE >= len(body)
                        await send({**message, "body": piece, "more_body": more or not last})
            except TimeoutError:
                given_up = True

        await self._app(scope, receive, send_paced)
