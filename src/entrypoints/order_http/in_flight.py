"""Work that goes on when the client who asked for it has gone."""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from order_core.errors import OrderCoreError
from order_http.problems import Problem, outcome_unknown

_log = logging.getLogger("order_http.errors")

T = TypeVar("T")


class InFlight:
    """Runs each piece of work as a task of its own.

    A disconnected client or a time-out ends the waiting, never the work: between the
    record of a charge and its settlement, stopping would only lose the answer.
    """

    def __init__(
        self,
        *,
        most: int,
        timeout_seconds: float,
        together_with: set[asyncio.Task[Any]] | None = None,
    ) -> None:
        self._most = most
        self._timeout_seconds = timeout_seconds
        self._tasks: set[asyncio.Task[Any]] = set()
        self._everything = set() if together_with is None else together_with

    def __len__(self) -> int:
        return len(self._tasks)

    def lane(self, *, most: int) -> "InFlight":
        """Room for work of another kind, which neither takes the room of this nor gives up its own.

        `drain` waits for it too.
        """
        return InFlight(
            most=most, timeout_seconds=self._timeout_seconds, together_with=self._everything
        )

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, or what it raised.

        Raises:
            Problem: `overloaded` when the work was not begun; `outcome_unknown` when it
                takes longer than the time-out, and goes on.
        """
        if len(self._tasks) >= self._most:
            work.close()
            raise Problem(
                "overloaded", "Too many requests are at work.", headers={"Retry-After": "2"}
            )
        loop = asyncio.get_running_loop()
        task, waiting = loop.create_task(work), loop.create_future()
        self._tasks.add(task)
        self._everything.add(task)
        task.add_done_callback(partial(self._ended, waiting))
        # Half of what `asyncio.wait` costs, which can wait for many.
        over = loop.call_later(self._timeout_seconds, _wake, waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            task.add_done_callback(_log_what_nobody_hears)
            raise
        finally:
            over.cancel()
        if not task.done():
            task.add_done_callback(_log_what_nobody_hears)
            raise outcome_unknown()
        return task.result()

    def _ended(self, waiting: asyncio.Future[None], task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._everything.discard(task)
        _wake(waiting)

    async def drain(self, timeout_seconds: float) -> int:
        """Wait until all work is done, for so long at most; what is left is counted."""
        if self._everything:
            await asyncio.wait(set(self._everything), timeout=timeout_seconds)
        return len(self._everything)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _log_what_nobody_hears(task: asyncio.Task[Any]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if error is not None and not isinstance(error, OrderCoreError):
        _log.error("work outlived its request and failed", exc_info=error)
