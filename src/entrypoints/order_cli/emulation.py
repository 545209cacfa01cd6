"""A pretended payment provider, listening in this process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from order_cli.embedded_server import EmbeddedServer
from order_cli.front_door import FrontDoor
from order_emulators import build_emulator
from order_emulators.chassis import ConnectionCut, JournalInvalid
from order_wiring.mistakes import CannotStart

_GRACE_SECONDS: Final = 1.0
_START_SECONDS: Final = 10.0


@asynccontextmanager
async def emulating(
    provider: str,
    *,
    host: str,
    port: int,
    webhook_url: str | None = None,
    secrets: Mapping[str, str] | None = None,
    journal: Path | None = None,
) -> AsyncGenerator[asyncio.Task[None]]:
    """The provider with empty books, or with the journal's, answering meanwhile.

    The task that it hands over ends early only if the server breaks.

    Raises:
        CannotStart: this version cannot pretend to be that provider, the journal is none, or
            the server fails.
    """
    try:
        app = build_emulator(provider, webhook_url=webhook_url, secrets=secrets, journal=journal)
    except (LookupError, JournalInvalid, OSError) as error:
        raise CannotStart(str(error)) from None
    server = EmbeddedServer(_Cutting(app), FrontDoor(host, port))
    answering = server.start()
    try:
        await _begun(server, provider)
        yield answering
    finally:
        if not answering.done():
            await server.stop(answering, _GRACE_SECONDS)
        with contextlib.suppress(asyncio.CancelledError):
            await answering


async def _begun(server: EmbeddedServer, provider: str) -> None:
    try:
        async with asyncio.timeout(_START_SECONDS):
            await server.listens()
    except TimeoutError:
        raise CannotStart(f"the pretended {provider} does not begin to answer") from None


class _Cutting:
    """Breaks the connection where the provider is told to, without a stack trace for each."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(ConnectionCut):
            await self._app(scope, receive, send)
