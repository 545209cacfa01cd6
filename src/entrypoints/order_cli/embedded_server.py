"""A web server inside of this very process, so that killing it kills everything."""

import asyncio
import logging
from typing import Final

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp

from order_cli.front_door import FrontDoor

_log: Final = logging.getLogger("order_core.serve")


class EmbeddedServer:
    """Answers requests with `app`, from `start` until `stop`."""

    def __init__(self, app: ASGIApp, door: FrontDoor) -> None:
        self._server = Server(app, interface=Interfaces.ASGINL, **door.for_granian())
        self._door = door

    def start(self) -> asyncio.Task[None]:
        """Begin; the task ends when the server does, with its error if it had one."""
        return asyncio.create_task(self._server.serve(), name=f"http-server-{self._door.port}")

    async def listens(self) -> None:
        """Come back once something answers at the address."""
        # Granian tells nobody when it is ready.
        while not await self._answers():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def stop(self, answering: asyncio.Task[None], grace: float) -> None:
        """Take no new requests; give those under way `grace` seconds, then cut them."""
        self._server.signal_handler_interrupt()  # type: ignore[no-untyped-call]
        # A client that reads slowly, or a connection that never sends, must not keep the process
        # for ever.
        done, _ = await asyncio.wait({answering}, timeout=grace)
        if not done:
            _log.warning("connections are still open after %g seconds; cutting them", grace)
            # What follows is a stack trace for each of them.
            for name in ("_granian", "asyncio"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            answering.cancel()
            await asyncio.wait({answering}, timeout=1)

    async def _answers(self) -> bool:
        try:
            _, connection = await asyncio.open_connection(self._door.host, self._door.port)
        except OSError:
            return False
        connection.close()
        return True
