"""Endless rounds: look after open payments, match and look for events, tell customers, forget."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from order_core.errors import ClockAskew, CommitUnknown, StoreUnavailable

_log: Final = logging.getLogger("order_core.worker")

LONGEST_PAUSE_SECONDS: Final = 30.0


class Chore(Protocol):
    """`recover`, `match`, `reconcile`, `tell` and `forget` of the core."""

    async def __call__(self, *, limit: int) -> int:
        """Attend to at most `limit` things; the number of those attended."""
        ...


class Core(Protocol):
    """The part of `OrderCore` that the worker drives."""

    @property
    def recover(self) -> Chore: ...

    @property
    def match(self) -> Chore: ...

    @property
    def reconcile(self) -> Chore: ...

    @property
    def tell(self) -> Chore: ...

    @property
    def forget(self) -> Chore: ...


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    """Come back when the event happens, or after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


class Worker:
    """Repeats the chores until told to stop, each at its own pace.

    A full batch is followed by the next one at once, anything less by a pause of
    `poll_seconds`. When a round fails, the pauses double up to `LONGEST_PAUSE_SECONDS`, and
    are shortened at random so that several workers do not come back at the same moment.
    """

    def __init__(
        self,
        core: Core,
        *,
        poll_seconds: float = 0.5,
        batch: int = 20,
        pause: Callable[[asyncio.Event, float], Awaitable[None]] = wait_at_most,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._chores: tuple[tuple[str, Chore], ...] = (
            ("recover", core.recover),
            ("match", core.match),
            ("reconcile", core.reconcile),
            ("tell", core.tell),
            ("forget", core.forget),
        )
        self._poll_seconds = poll_seconds
        self._batch = batch
        self._pause = pause
        self._chance = chance
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`; come back when the rounds that were under way have ended."""
        async with asyncio.TaskGroup() as rounds:
            for name, chore in self._chores:
                rounds.create_task(self._repeat(name, chore), name=f"worker-{name}")

    def stop(self) -> None:
        """Begin no further round."""
        self._stopping.set()

    async def _repeat(self, name: str, chore: Chore) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                done = await chore(limit=self._batch)
            except Exception as error:  # noqa: BLE001 - the next round may find what this one missed
                failures += 1
                if failures == 1:
                    _report(name, error)
                await self._pause(self._stopping, self._after(failures))
                continue
            if failures:
                _log.info("%s works again, after %d failed rounds", name, failures)
                failures = 0
            if done >= self._batch:
                await asyncio.sleep(0)
            else:
                await self._pause(self._stopping, self._poll_seconds)

    def _after(self, failures: int) -> float:
        # The exponent is bounded because an outage may last for days.
        doublings: int = min(failures, 16)
        longest = min(self._poll_seconds * (1 << doublings), LONGEST_PAUSE_SECONDS)
        return longest * (0.5 + self._chance() / 2)


def _report(name: str, error: Exception) -> None:
    # Once for each outage: a database that is away for an hour is one event, not thousands.
    if isinstance(error, ClockAskew):
        _log.error("%s rests until the clock is right: %s", name, error)
    elif isinstance(error, StoreUnavailable | CommitUnknown):
        _log.warning("%s cannot reach the store, and goes on trying: %s", name, error)
    else:
        _log.error("%s failed, and goes on trying", name, exc_info=error)
