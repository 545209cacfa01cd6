"""Bounds what an answer costs while a client reads it slowly."""

import asyncio
from typing import Final

from starlette.types import Message, Send

PIECE: Final = 16 * 1024
"""Bytes; what is not longer goes out at once."""


class AnswerPace:
    """Hands a long answer to the server piece by piece, each when there is room for it.

    In one piece it would lie in memory as often as there are clients that do not read. After
    `timeout_seconds` the connection is broken.
    """

    def __init__(self, *, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds

    async def hand_out(self, message: Message, send: Send) -> bool:
        """False: the client is given up.

        Then nothing more may be sent. The answer stays without its end, for which the server
        breaks the connection.
        """
        body, more = message["body"], message.get("more_body", False)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                for start in range(0, len(body), PIECE):
                    piece = body[start : start + PIECE]
                    last = start + PIECE >= len(body)
                    await send({**message, "body": piece, "more_body": more or not last})
        except TimeoutError:
            return False
        return True
