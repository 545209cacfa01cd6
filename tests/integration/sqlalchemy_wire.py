"""A wire to PostgreSQL that counts how often a client waits for an answer, or hands on no more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Spoke = Callable[[bytes], Awaitable[None]]
"""Is told what one end said; it is handed on when this comes back."""


class RoundTrips:
    def __init__(self) -> None:
        self.count = 0
        self._server_spoke_last = True
        self._may_ask = asyncio.Event()
        self._may_ask.set()
        self._may_speak = asyncio.Event()
        self._may_speak.set()

    def hold(self) -> None:
        """Keep back what clients ask from now on."""
        self._may_ask.clear()

    def let_through(self) -> None:
        """Hand on what they asked, late."""
        self._may_ask.set()

    def silence(self) -> None:
        """Keep the server's answers back from now on."""
        self._may_speak.clear()

    def speak(self) -> None:
        """Hand on what was kept back."""
        self._may_speak.set()

    async def client_spoke(self, _said: bytes) -> None:
        await self._may_ask.wait()
        # Several packets without an answer between them are one round trip.
        if self._server_spoke_last:
            self.count += 1
        self._server_spoke_last = False

    async def server_spoke(self, _said: bytes) -> None:
        await self._may_speak.wait()
        self._server_spoke_last = True


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[tuple[str, RoundTrips]]:
    """The address of the same database through the wire, and its count."""
    trips = RoundTrips()
    async with _wire(url, lambda: (trips.client_spoke, trips.server_spoke)) as own_url:
        yield own_url, trips


class Holding:
    """Of each save that holds the word, the statement or its answer is never handed on."""

    def __init__(self, word: str, *, answers: bool) -> None:
        self.held: list[int] = []
        """How often the word is in each."""
        self._word = word.encode()
        self._answers = answers

    def ends(self) -> tuple[Spoke, Spoke]:
        """Of one connection."""
        waits = False

        async def client_spoke(said: bytes) -> None:
            nonlocal waits
            if found := said.count(self._word):
                self.held.append(found)
                if not self._answers:
                    await _for_ever()
                waits = True

        async def server_spoke(_said: bytes) -> None:
            if waits:
                await _for_ever()

        return client_spoke, server_spoke


@asynccontextmanager
async def holding(url: str, word: str, *, answers: bool) -> AsyncIterator[tuple[str, Holding]]:
    """The address of the same database through the wire, and what it holds back."""
    held = Holding(word, answers=answers)
    async with _wire(url, held.ends) as own_url:
        yield own_url, held


async def _for_ever() -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def _wire(url: str, ends: Callable[[], tuple[Spoke, Spoke]]) -> AsyncIterator[str]:
    start, _, rest = url.partition("@127.0.0.1:")
    port, _, name = rest.partition("/")

    serving: set[asyncio.Task[None]] = set()

    async def pass_on(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        server, question = await asyncio.open_connection("127.0.0.1", int(port))
        client_spoke, server_spoke = ends()
        await asyncio.gather(
            _copy(client, question, client_spoke), _copy(server, answer, server_spoke)
        )

    def begin(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(pass_on(client, answer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    wire = await asyncio.start_server(begin, "127.0.0.1", 0)
    own_port = wire.sockets[0].getsockname()[1]
    try:
        yield f"{start}@127.0.0.1:{own_port}/{name}"
    finally:
        wire.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, spoke: Spoke) -> None:
    try:
        while chunk := await source.read(65536):
            await spoke(chunk)
            target.write(chunk)
            await target.drain()
    except ConnectionError:
        pass  # One side is gone; the other one shall learn of it.
    finally:
        target.close()
