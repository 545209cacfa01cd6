"""The worker, inside whatever process it runs in."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from order_wiring.composition import Service
from order_worker import Worker

_log: Final = logging.getLogger("order_core.worker")


@asynccontextmanager
async def working(
    service: Service, grace: float, *, poll_seconds: float = 0.5
) -> AsyncGenerator[None]:
    """Keep the worker at work meanwhile; let it finish its round at the end."""
    worker = Worker(service.core, poll_seconds=poll_seconds)
    rounds = asyncio.create_task(worker.run(), name="worker")
    try:
        yield
    finally:
        worker.stop()
        done, _ = await asyncio.wait({rounds}, timeout=grace)
        if not done:
            # What it was doing is stored, and taken up again when its lease ends.
            _log.warning("the worker is not done after %g seconds; it goes on next time", grace)
            rounds.cancel()
        await asyncio.gather(rounds, return_exceptions=True)
