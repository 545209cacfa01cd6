"""A whole function on the thread of an aiosqlite connection: one hop, not one a statement."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from threading import Lock
from typing import TypeVar

import aiosqlite

_INTERRUPT_GRACE_SECONDS = 1.0

T = TypeVar("T")


class NeverBegun(Exception):
    """The caller gave up before the thread came to the work. It will not be done."""


class StillRunning(Exception):
    """The caller gave up on work that may yet be finished."""


class Turn:
    """Decides once, between two threads, whether the work begins or is called off."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._begun = False
        self._called_off = False

    def begin(self) -> bool:
        with self._lock:
            self._begun = not self._called_off
            return self._begun

    def call_off(self) -> bool:
        with self._lock:
            self._called_off = not self._begun
            return self._called_off


async def on_its_thread(
    connection: aiosqlite.Connection,
    work: Callable[[sqlite3.Connection], T],
    *,
    seconds: float,
) -> T:
    """What `work` returns or raises. It has the connection for itself while it runs.

    Raises:
        NeverBegun: no time was left to begin.
        StillRunning: it could not be stopped in time either.
    """
    turn = Turn()

    def in_turn() -> T:
        if not turn.begin():
            raise NeverBegun
        return work(raw)

    # aiosqlite offers one hop for each statement. `_execute` is what its own methods are made
    # of, and the only way to run several statements in one hop; its version is pinned.
    raw: sqlite3.Connection = connection._conn  # noqa: SLF001
    execute: Callable[[Callable[[], T]], Coroutine[None, None, T]] = connection._execute  # noqa: SLF001
    running = asyncio.ensure_future(execute(in_turn))
    try:
        await asyncio.wait({running}, timeout=seconds)
        if not running.done() and not turn.call_off():
            raw.interrupt()
            await asyncio.wait({running}, timeout=_INTERRUPT_GRACE_SECONDS)
        if running.done():
            return running.result()
    finally:
        # Also when our task is cancelled: what has not begun must not begin later.
        never_begun = turn.call_off()
        running.cancel()
    raise NeverBegun if never_begun else StillRunning
