"""Serve from this very process, so that killing it kills everything."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from order_cli.embedded_server import EmbeddedServer
from order_cli.front_door import FrontDoor
from order_cli.garbage import keep_what_is_loaded
from order_cli.stop_signals import stop_signals
from order_cli.work import working
from order_wiring.composition import running
from order_wiring.http_app import app_of
from order_wiring.settings import Settings

_log: Final = logging.getLogger("order_core.serve")


async def serve(
    settings: Settings,
    *,
    with_worker: bool,
    when_listening: Callable[[], None] = lambda: None,
) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish those that are being answered.

    Raises:
        ConfigurationInvalid: with every mistake that shows only when the parts are built.
        CannotStart: the database cannot be used.
    """
    grace = settings.shutdown_grace.total_seconds()
    async with AsyncExitStack() as closing:
        service = await closing.enter_async_context(running(settings))
        app = app_of(service)
        if with_worker:
            await closing.enter_async_context(working(service, grace))
        # Not left to Granian, which would skip its end when connections have to be cut. Orders
        # in the making get the grace again there.
        await closing.enter_async_context(app.router.lifespan_context(app))
        keep_what_is_loaded()
        server = EmbeddedServer(app, door := FrontDoor.of(settings))
        await _answer_until_stopped(server, door, grace, when_listening)


async def _answer_until_stopped(
    server: EmbeddedServer, door: FrontDoor, grace: float, when_listening: Callable[[], None]
) -> None:
    stopping = stop_signals()
    answering = server.start()
    asked = asyncio.create_task(stopping.wait(), name="stop-signal")
    greeting = asyncio.create_task(_greet(server, door, when_listening), name="greeting")
    try:
        await asyncio.wait({answering, asked}, return_when=asyncio.FIRST_COMPLETED)
        greeting.cancel()
        if not answering.done():
            _log.info("stopping: no new requests; those under way have %g seconds", grace)
            await server.stop(answering, grace)
    finally:
        asked.cancel()
        await asyncio.gather(asked, greeting, return_exceptions=True)
    if not answering.cancelled():
        answering.result()


async def _greet(
    server: EmbeddedServer, door: FrontDoor, when_listening: Callable[[], None]
) -> None:
    """Say that the service listens, once it does."""
    await server.listens()
    _log.info("listening on %s", door.url)
    when_listening()
