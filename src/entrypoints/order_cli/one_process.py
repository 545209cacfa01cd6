"""Serve from this very process, so that killing it kills everything."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp

from order_cli.granian_logs import GRANIAN_LOG_LEVEL, GRANIAN_LOGS
from order_cli.listening import address
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
    async with AsyncExitStack() as closing:
        service = await closing.enter_async_context(running(settings))
        app = app_of(service)
        if with_worker:
            grace = settings.shutdown_grace.total_seconds()
            await closing.enter_async_context(working(service, grace))
        # Not left to Granian, which would skip its end when connections have to be cut.
        await closing.enter_async_context(app.router.lifespan_context(app))
        await _answer_until_stopped(app, settings, when_listening)


async def _answer_until_stopped(
    app: ASGIApp, settings: Settings, when_listening: Callable[[], None]
) -> None:
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_level=GRANIAN_LOG_LEVEL,
        log_dictconfig=GRANIAN_LOGS,
    )
    stopping = stop_signals()
    answering = asyncio.create_task(server.serve(), name="http-server")
    asked = asyncio.create_task(stopping.wait(), name="stop-signal")
    greeting = asyncio.create_task(_greet(settings, when_listening), name="greeting")
    try:
        await asyncio.wait({answering, asked}, return_when=asyncio.FIRST_COMPLETED)
        greeting.cancel()
        if not answering.done():
            await _stop(server, answering, settings.shutdown_grace.total_seconds())
    finally:
        asked.cancel()
        await asyncio.gather(asked, greeting, return_exceptions=True)
    if not answering.cancelled():
        answering.result()


async def _stop(server: Server, answering: asyncio.Task[None], grace: float) -> None:
    _log.info("stopping: no new requests; those under way have %g seconds", grace)
    server.signal_handler_interrupt()  # type: ignore[no-untyped-call]
    # A client that reads slowly, or a connection that never sends, must not keep the process
    # for ever. Orders in the making get as long again, at the end of the application.
    done, _ = await asyncio.wait({answering}, timeout=grace)
    if not done:
        _log.warning("connections are still open after %g seconds; cutting them", grace)
        # What follows is a stack trace for each of them.
        for name in ("_granian", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        answering.cancel()
        await asyncio.wait({answering}, timeout=1)


async def _greet(settings: Settings, when_listening: Callable[[], None]) -> None:
    """Say that the service listens, once it does."""
    # Granian tells nobody when it is ready.
    while not await _answers(settings):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    _log.info("listening on http://%s", address(settings.host, settings.port))
    when_listening()


async def _answers(settings: Settings) -> bool:
    try:
        _, connection = await asyncio.open_connection(settings.host, settings.port)
    except OSError:
        return False
    connection.close()
    return True
