"""A wire to PostgreSQL that counts how often a client waits for an answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


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

    async def client_spoke(self) -> None:
        await self._may_ask.wait()
        # Several packets without an answer between them are one round trip.
        if self._server_spoke_last:
            self.count += 1
        self._server_spoke_last = False

    async def server_spoke(self) -> None:
        await self._may_speak.wait()
        self._server_spoke_last = True


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[tuple[str, RoundTrips]]:
    """The address of the same database through the wire, and its count."""
    start, _, rest = url.partition("@127.0.0.1:")
    port, _, name = rest.partition("/")
    trips = RoundTrips()

    async def pass_on(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        server, question = await asyncio.open_connection("127.0.0.1", int(port))
        await asyncio.gather(
            _copy(client, question, trips.client_spoke),
            _copy(server, answer, trips.server_spoke),
        )

    wire = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    own_port = wire.sockets[0].getsockname()[1]
    try:
        yield f"{start}@127.0.0.1:{own_port}/{name}", trips
    finally:
        wire.close()


async def _copy(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, spoke: Callable[[], Awaitable[None]]
) -> None:
    try:
        while chunk := await source.read(65536):
            await spoke()
            target.write(chunk)
            await target.drain()
    except ConnectionError:
        pass  # One side is gone; the other one shall learn of it.
    finally:
        target.close()
