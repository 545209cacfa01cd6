"""The queue before the one connection that writes: whoever waits together commits together."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from order_core.errors import StoreUnavailable
from order_sqlalchemy.connections import Connections
from order_sqlalchemy.sqlite_thread import NeverBegun, Turn, on_its_thread
from order_sqlalchemy.sqlite_transaction import Done, Work, in_transaction, one_by_one

MOST_TOGETHER: Final = 64
_MOST_WAITING: Final = 4096

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    work: Work[Any]
    answer: asyncio.Future[Any]
    turn: Turn = field(default_factory=Turn)


class Writes:
    """Runs each piece of work inside a transaction of `connections`' one connection.

    While one transaction is on its way to the disk, others come; they share the next one, and so
    one wait for the disk. Each hears of its own result only after the common COMMIT, and one that
    is refused takes nobody with it. Nobody waits longer than `wait_seconds` to begin.
    """

    def __init__(
        self, connections: Connections, *, wait_seconds: float, run_seconds: float
    ) -> None:
        self._connections = connections
        self._wait_seconds = wait_seconds
        self._run_seconds = run_seconds
        self._waiting: deque[_Waiting] = deque()
        self._working: asyncio.Task[None] | None = None

    async def run(self, work: Work[T]) -> T:
        """What `work` returns, once it is on the disk.

        Raises:
            StoreUnavailable: it did not begin, and never will.
            NeverBegun: likewise.
            StillRunning, CommitFailed: nobody knows whether it is on the disk.
            Exception: what `work` or SQLite raised; then nothing is.
        """
        if len(self._waiting) >= _MOST_WAITING:
            raise StoreUnavailable(f"{_MOST_WAITING} writes wait already.")
        waiting = _Waiting(work, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._working is None:
            self._working = asyncio.create_task(self._work(), name="sqlite-writes")
        try:
            await asyncio.wait({waiting.answer}, timeout=self._wait_seconds)
            if not waiting.answer.done() and waiting.turn.call_off():
                raise StoreUnavailable(f"No connection was free for {self._wait_seconds} s.")
            answer: T = await waiting.answer
            return answer
        finally:
            # Also when our task is cancelled: what has not begun must not begin later.
            waiting.turn.call_off()
            waiting.answer.cancel()

    async def close(self) -> None:
        """Finish what waits."""
        if self._working is not None:
            await asyncio.wait({self._working})

    async def _work(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), MOST_TOGETHER)
                group = [self._waiting.popleft() for _ in range(count)]
                await self._do(group)
        finally:
            self._working = None

    async def _do(self, group: Sequence[_Waiting]) -> None:
        begun: list[_Waiting] = []
        try:
            done = await self._together(group, begun)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs
            for waiting in group:
                # By its turn and not by `begun`: the thread may be writing that just now.
                never_begun = waiting.turn.call_off() and not isinstance(error, StoreUnavailable)
                _tell(waiting, Done(error=NeverBegun() if never_begun else error))
            return
        for waiting, own in zip(begun, done, strict=True):
            _tell(waiting, own)

    async def _together(self, group: Sequence[_Waiting], begun: list[_Waiting]) -> list[Done]:
        pooled = await self._connections.take()
        connection: Any = pooled.driver_connection
        try:
            # Whatever becomes of this call, its connection stays good: the thread ends each
            # transaction before it takes the next one.
            work = partial(_write, group, begun)
            return await on_its_thread(connection, work, seconds=self._run_seconds)
        finally:
            self._connections.give_back(pooled)


def _write(
    group: Sequence[_Waiting], begun: list[_Waiting], connection: sqlite3.Connection
) -> list[Done]:
    begun += [waiting for waiting in group if waiting.turn.begin()]
    if not begun:
        return []
    return in_transaction(
        connection, partial(one_by_one, pieces=[waiting.work for waiting in begun])
    )


def _tell(waiting: _Waiting, done: Done) -> None:
    if waiting.answer.done():
        return  # Nobody waits any more.
    if done.error is not None:
        waiting.answer.set_exception(done.error)
    else:
        waiting.answer.set_result(done.result)
