"""Wait until nobody has to look after any order any more: first for real, then hours later."""

# ruff: noqa: S608 - only names and numbers of ours become part of the SQL

import asyncio
import time
from typing import Final

from order_core.errors import OrderCoreError
from order_sqlalchemy import Database
from tests.chaos.diary import Diary
from tests.chaos.town import Town

HOURS_LATER: Final = (0.0, 0.7, 1.3, 2.5, 6.0, 30.0, 6.5 * 24, 8 * 24)
"""The half hour in which a request that was given up may still arrive is over, and again; then
the longest pauses and the lives of keys; at last holds end."""

_LONGEST_SECONDS: Final = 120.0
_FIRST_SECONDS: Final = 10.0
_HOUR_US: Final = 3_600_000_000


class Rest:
    """How it came to rest: how far the clock had to go, and what is still open then."""

    def __init__(self, town: Town, database: Database) -> None:
        self._town = town
        self._database = database
        self._diary: Diary = town.diary
        self.hours = 0.0

    async def wait(self) -> None:
        """Come back when all rests, or when time does not help any more."""
        for hours in HOURS_LATER:
            if await self._left(everything=True) == 0:
                return
            if hours and await self._left(hours) == 0:
                continue
            self.hours = hours
            if hours:
                await self._town.go_ahead(hours)
            seconds = _LONGEST_SECONDS if hours else _FIRST_SECONDS
            await self._wait_here(hours, seconds)
            self._diary.note("rests" if hours else "calm", f"{hours:g} hours later")

    async def _wait_here(self, hours: float, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        quiet_since = time.monotonic()
        while time.monotonic() < deadline:
            await asyncio.sleep(0.3)
            if await self._left(hours):
                quiet_since = time.monotonic()
            elif time.monotonic() > quiet_since + 1:
                # A second without anything due: what settles may record the next movement.
                return

    async def _left(self, hours: float = 0.0, *, everything: bool = False) -> int:
        later = time.time_ns() // 1000 + int(hours * _HOUR_US)
        due = "IS NOT NULL" if everything else f"<= {later}"
        statement = (
            f"SELECT (SELECT count(*) FROM orders WHERE attend_at_us {due}) + "
            f"(SELECT count(*) FROM order_events WHERE tell_at_us {due})"
        )
        for _ in range(20):
            try:
                [(left,)] = await self._database.store.rows(statement)
            except OrderCoreError:
                await asyncio.sleep(0.5)
            else:
                return int(left)
        raise RuntimeError("the database does not answer")
