"""The queue of the saves: whoever waits together is saved together."""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Final, Generic, TypeVar

from order_core.errors import CommitUnknown, StoreUnavailable
from order_sqlalchemy.connections import NoneFree
from order_sqlalchemy.mapping import Row
from order_sqlalchemy.postgresql_rows import Values
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.said import said

_log: Final = logging.getLogger(__name__)

MOST_TOGETHER: Final = 32
MOST_WAITING: Final = 1024
PATIENCE_SECONDS: Final = 0.03

C = TypeVar("C")
"""A connection."""


@dataclass(frozen=True, slots=True)
class Door(Generic[C]):
    """The way to the database."""

    take: Callable[[], Awaitable[C]]
    """A connection, within a bounded time."""
    give_back: Callable[[C], None]
    """One that was not used."""
    save: Callable[[C, Shape, Sequence[Values]], Awaitable[list[Row]]]
    """Stores orders of one shape, all of them or nothing, and gives the connection back. Its rows
    begin with the ids of those that were stored."""
    stored_nothing: Callable[[Exception], bool]
    """Whether an error of `save` says for certain that nothing is stored."""


@dataclass(slots=True, eq=False)
class _Waiting:
    shape: Shape
    order_id: str
    values: Values
    until: float
    """By the clock of the event loop: it is not sent later."""
    answer: asyncio.Future[Row | None]
    together: Shape
    """The shape of its company."""
    is_alone: bool = False
    """Its company was refused."""

    def goes_with(self, other: "_Waiting") -> bool:
        if self.is_alone or other.is_alone:
            return self is other
        return self.together == other.together


@dataclass(slots=True, eq=False)
class _Turn:
    """One save on its way: first to a connection, then to the database."""

    most: int
    company: list[_Waiting] | None = None
    """Those who go; None until there is a connection."""
    waited_for_until: float = math.inf
    """By the clock of the event loop: then whoever waits goes beside it."""

    def goes(self, company: list[_Waiting]) -> None:
        self.company = company
        self.waited_for_until = asyncio.get_running_loop().time() + PATIENCE_SECONDS


class SaveQueue(Generic[C]):
    """Saves through `door`.

    Whoever finds nobody under way goes alone. While he is, others come; when all that was sent is
    answered, those of one shape go together. Each hears of its own order only after the common
    commit. If one of them is refused nothing of anybody is stored, and each goes alone: so a
    refusal takes nobody with it, and companies are half as large until enough of them were stored.

    An answer that takes longer than `PATIENCE_SECONDS` is not waited for: whoever waits by then
    goes beside those who are under way, spread over what is left of `most_turns`. A slow database
    is asked by many at once, as it was before there were companies. Only if so many wait that even
    full companies would not do, there are more turns. Who goes is decided when there is a
    connection to go by.

    Of one order only one save is under way at a time. Nobody is sent later than `seconds` after
    it came.
    """

    def __init__(self, door: Door[C], *, most_turns: int, seconds: float) -> None:
        self._door = door
        self._most_turns = most_turns
        self._seconds = seconds
        self.companies_refused = 0
        """As wholes, since it began."""
        self._waiting: list[_Waiting] = []
        self._turns: set[_Turn] = set()
        self._most = MOST_TOGETHER
        # Set while somebody waits.
        self._alarm: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._rests = asyncio.Event()
        self._rests.set()

    async def row(self, shape: Shape, order_id: str, values: Values) -> Row | None:
        """What `save` answers for this order, None if it stored nothing.

        Raises:
            StoreUnavailable: too many wait, or it waited too long; nothing is stored.
            Exception: what `save` raises.
        """
        loop = asyncio.get_running_loop()
        until, answer = loop.time() + self._seconds, loop.create_future()
        waiting = _Waiting(shape, order_id, values, until, answer, shape.in_company())
        self._rests.clear()
        if not self._turns and not self._waiting:
            return await self._first(waiting)
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable(f"{MOST_WAITING} saves wait already.")
        self._waiting.append(waiting)
        if self._is_answered():
            self._go_on()
        self._watch()
        row: Row | None = await answer
        return row

    async def close(self) -> None:
        """Come back when nobody waits, and nothing is under way."""
        await self._rests.wait()

    async def _first(self, waiting: _Waiting) -> Row | None:
        turn = _Turn(most=1)
        turn.goes([waiting])
        self._turns.add(turn)
        try:
            connection = await self._door.take()
            if waiting.until <= asyncio.get_running_loop().time():
                # It was opened first.
                self._door.give_back(connection)
                raise self._late()
            rows = await self._door.save(connection, waiting.shape, [waiting.values])
        finally:
            self._end(turn)
        return rows[0] if rows else None

    # Turns ----------------------------------------------------------------------------------

    def _end(self, turn: _Turn) -> None:
        self._turns.remove(turn)
        if self._waiting and self._is_answered():
            self._go_on()
        if not self._turns:
            self._rests.set()

    def _is_answered(self) -> bool:
        """Whether all is that was sent, but for what takes too long to wait for it."""
        now = asyncio.get_running_loop().time()
        return all(turn.waited_for_until <= now for turn in self._turns)

    def _go_on(self) -> None:
        ready = self._ready()
        companies = Counter(waiting if waiting.is_alone else waiting.together for waiting in ready)
        turns = sum(-(-number // self._most) for number in companies.values())
        self._begin(turns, ready, most=self._most)

    def _lose_patience(self) -> None:
        self._alarm = None
        ready = self._ready()
        free = max(1, self._most_turns - len(self._turns))
        most = max(1, min(self._most, -(-len(ready) // free)))
        self._begin(-(-len(ready) // most), ready, most=most)

    def _begin(self, turns: int, ready: list[_Waiting], *, most: int) -> None:
        # Even full companies would not do: what waits would wait longer and longer.
        needed = -(-len(ready) // MOST_TOGETHER)
        for _ in range(min(turns, max(self._most_turns, needed) - len(self._turns))):
            turn = _Turn(most)
            self._turns.add(turn)
            # Not in the context of whoever came last: the log lines would be his.
            task = asyncio.create_task(self._go(turn), context=Context())
            self._tasks.add(task)
            task.add_done_callback(partial(self._went, turn))
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._watch()

    def _watch(self) -> None:
        if self._waiting and self._alarm is None:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(PATIENCE_SECONDS, self._lose_patience)

    def _ready(self) -> list[_Waiting]:
        """Those who may go now: one for each order of which nothing is under way."""
        self._drop_late()
        orders = {waiting.order_id for turn in self._turns for waiting in turn.company or ()}
        ready = []
        for waiting in self._waiting:
            if waiting.order_id not in orders:
                orders.add(waiting.order_id)
                ready.append(waiting)
        return ready

    async def _go(self, turn: _Turn) -> None:
        try:
            connection = await self._door.take()
        except NoneFree:
            return  # Those who waited too long hear so; the others wait for the next turn.
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was sent
            for waiting in self._fill(turn):
                _tell(waiting, error)
            return
        company = self._fill(turn)
        if company:
            await self._save(connection, turn, company)
        else:
            self._door.give_back(connection)

    def _fill(self, turn: _Turn) -> list[_Waiting]:
        """Whoever goes now: the first of those who may, and all that can go with it."""
        ready = self._ready()
        unfilled = sum(each.company is None for each in self._turns)
        most = min(self._most, max(turn.most, -(-len(ready) // unfilled)))
        company = [waiting for waiting in ready if waiting.goes_with(ready[0])][:most]
        gone = set(company)
        self._waiting = [waiting for waiting in self._waiting if waiting not in gone]
        # In one order everywhere, or two companies could wait for each other's locks.
        company.sort(key=attrgetter("order_id"))
        turn.goes(company)
        return company

    async def _save(self, connection: C, turn: _Turn, company: list[_Waiting]) -> None:
        shape = company[0].shape if len(company) == 1 else company[0].together
        try:
            values = [waiting.values for waiting in company]
            rows = await self._door.save(connection, shape, values)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs
            if len(company) > 1 and self._door.stored_nothing(error):
                self._go_alone(turn, company, error)
                return
            for waiting in company:
                _tell(waiting, error)
        else:
            if len(company) == self._most and not company[0].is_alone:
                self._most = min(MOST_TOGETHER, self._most + 1)
            stored = {row[0]: row for row in rows}
            for waiting in company:
                _tell(waiting, stored.get(waiting.order_id))

    def _go_alone(self, turn: _Turn, company: list[_Waiting], error: Exception) -> None:
        self._most = max(1, self._most // 2)
        self.companies_refused += 1
        _log.info(
            "a company of %d saves was refused, and each goes alone: %s", len(company), said(error)
        )
        turn.company = []
        # They have waited longer than whoever waits.
        self._waiting[:0] = [replace(waiting, is_alone=True) for waiting in company]
        self._watch()

    def _went(self, turn: _Turn, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        for waiting in turn.company or ():
            # Only if it was cancelled.
            _tell(waiting, CommitUnknown("The save was cancelled under way."))
        self._end(turn)

    def _drop_late(self) -> None:
        now = asyncio.get_running_loop().time()
        for waiting in self._waiting:
            if waiting.until <= now:
                _tell(waiting, self._late())
        # Whoever wants it no more was cancelled before it was sent.
        self._waiting = [waiting for waiting in self._waiting if not waiting.answer.done()]

    def _late(self) -> StoreUnavailable:
        return StoreUnavailable(f"The save could not be sent within {self._seconds:g} s.")


def _tell(waiting: _Waiting, answer: Row | Exception | None) -> None:
    if waiting.answer.done():
        return  # Nobody waits any more.
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)
