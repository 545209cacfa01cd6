"""A wire that breaks: it passes bytes on, and now and then cuts in the middle of them."""

import asyncio
import contextlib
from random import Random
from typing import Final

from tests.chaos.diary import Diary

_PIECE: Final = 65_536
_CONNECT_SECONDS: Final = 5.0


class CuttingProxy:
    """Listens on `port` for the server at `target`.

    Each piece of an answer is cut with the likelihood `answers`, each piece of a request with
    `requests`: the first half of the piece still arrives, then both ends find the connection
    broken. While `calm`, nothing is cut.
    """

    def __init__(
        self,
        name: str,
        target: int,
        *,
        chance: Random,
        diary: Diary,
        answers: float = 0.0,
        requests: float = 0.0,
    ) -> None:
        self.name = name
        self.target = target
        self.calm = False
        self.port = 0
        self._chance = chance
        self._diary = diary
        self._answers = answers
        self._requests = requests
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        if self._serving:
            await asyncio.wait(self._serving, timeout=_CONNECT_SECONDS)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                upstream, sink = await asyncio.open_connection("127.0.0.1", self.target)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        ends = (writer, sink)
        self._open.update(ends)
        try:
            await asyncio.gather(
                self._pass(reader, sink, ends, self._requests, "request"),
                self._pass(upstream, writer, ends, self._answers, "answer"),
            )
        finally:
            for end in ends:
                end.transport.abort()
            self._open.difference_update(ends)

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        ends: tuple[asyncio.StreamWriter, ...],
        likelihood: float,
        what: str,
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(_PIECE):
                if not self.calm and self._chance.random() < likelihood:
                    self._diary.note("cut", f"in the middle of a {what}: {self.name}")
                    sink.write(piece[: len(piece) // 2])
                    # What was written last is on its way before the connection breaks.
                    await asyncio.sleep(0)
                    break
                sink.write(piece)
                await sink.drain()
            else:
                if sink.can_write_eof():
                    sink.write_eof()
                return
        for end in ends:
            end.transport.abort()
