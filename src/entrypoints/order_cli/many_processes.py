"""Serve from several processes, which end when the one that began them ends."""

import asyncio
import ctypes
import logging
import os
import signal
import sys
from typing import Final

from granian.constants import Interfaces, Loops
from granian.server.mp import MPServer
from starlette.types import ASGIApp, Receive, Scope, Send

from order_cli.front_door import FrontDoor
from order_cli.garbage import keep_what_is_loaded
from order_cli.work import working
from order_wiring.certificates import mistakes_of_certificate
from order_wiring.composition import running
from order_wiring.configuration import read_configuration
from order_wiring.http_app import app_of
from order_wiring.logs import log_to_standard_error
from order_wiring.settings import SERVING, Settings

_log: Final = logging.getLogger("order_core.serve")

_PR_SET_PDEATHSIG: Final = 1
_POLL_SECONDS: Final = 0.5


def serve(settings: Settings, *, with_worker: bool) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish those that are being answered.

    Raises:
        ConfigurationInvalid: with every mistake that shows only when the parts are built.
        CannotStart: the database cannot be used.
    """
    # Before there is any process, so that a mistake is said once and the schema is there.
    asyncio.run(_try_out(settings))
    factory = "worker_process" if with_worker else "worker_process_without_worker"
    grace = settings.shutdown_grace.total_seconds()
    # The processes inherit how many files they may open.
    door = FrontDoor.of(settings)
    server = _Server(
        f"order_cli.many_processes:{factory}",
        factory=True,
        workers=settings.workers,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop if sys.platform != "win32" else Loops.asyncio,
        respawn_failed_workers=True,
        # Each process first gives its requests, then its worker, as long as that.
        workers_kill_timeout=round(2 * grace) + 5,
        **door.for_granian(),
    )
    server.settings = settings
    server.on_startup(
        lambda: _log.info("listening on %s with %d processes", door.url, settings.workers)
    )
    server.serve()


class _Server(MPServer):
    """Reads the certificate anew on SIGHUP, if it can be used."""

    settings: Settings

    def signal_handler_reload(self, *args: object, **kwargs: object) -> None:
        # New processes would end at a broken file, and then all of them with these.
        if mistakes := mistakes_of_certificate(self.settings):
            _log.error("the old certificate stays: %s", "; ".join(map(str, mistakes)))
            return
        _log.info("replacing the processes one after another")
        super().signal_handler_reload(*args, **kwargs)  # type: ignore[no-untyped-call]


async def _try_out(settings: Settings) -> None:
    async with running(settings) as service:
        app_of(service)


def worker_process() -> ASGIApp:
    """The application of one of the processes, with a share of the worker's rounds."""
    return _Process(with_worker=True)


def worker_process_without_worker() -> ASGIApp:
    """The application of one of the processes."""
    return _Process(with_worker=False)


class _Process:
    """Opens the service at the start of the process, in its event loop; closes it at the end."""

    def __init__(self, *, with_worker: bool) -> None:
        die_with_parent()
        self._settings = read_configuration(os.environ, SERVING)
        log_to_standard_error(self._settings.log_level)
        self._with_worker = with_worker
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            if self._app is None:
                raise RuntimeError("a request came before the service was open")
            await self._app(scope, receive, send)
            return
        try:
            await self._live(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - whatever it is, the process must not serve
            # Granian takes an exception here for "has no lifespan", and serves.
            await send({"type": "lifespan.startup.failed", "message": str(error)})

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        settings = self._settings
        async with running(settings) as service:
            self._app = app = app_of(service)
            keep_what_is_loaded()
            if not self._with_worker:
                await app(scope, receive, send)
                return
            async with working(
                service,
                settings.shutdown_grace.total_seconds(),
                # Together they ask the database as often as one process does.
                poll_seconds=_POLL_SECONDS * settings.workers,
            ):
                await app(scope, receive, send)


def die_with_parent() -> None:
    """End this process when its parent does, however that ends (Linux; elsewhere nothing)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent or parent == 1:
        raise SystemExit("the process that began this one is gone")
