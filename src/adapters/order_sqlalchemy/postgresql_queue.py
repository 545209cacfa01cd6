"""The queue of the saves: whoever waits together is saved together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from order_core.errors import CommitUnknown, StoreUnavailable
from order_sqlalchemy.mapping import Row
from order_sqlalchemy.postgresql_rows import Values
from order_sqlalchemy.postgresql_shape import Shape

MOST_TOGETHER: Final = 32
MOST_WAITING: Final = 1024
PATIENCE_SECONDS: Final = 0.03

Save = Callable[[Shape, Values, float], Awaitable[list[Row]]]
"""Stores orders of one shape, if it can be sent until this moment of the event loop's clock. Its
rows begin with the ids of those that were stored."""


class _CompanyRefused(Exception):
    """Nothing of anybody is stored."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    shape: Shape
    """Of its company."""
    order_id: str
    values: Values
    until: float
    """By the clock of the event loop: it is not sent later."""
    answer: asyncio.Future[Row | None]


Company = list[_Waiting]


class SaveQueue:
    """Saves with `save`, which stores all that it is given or nothing of it.

    Whoever finds nobody under way goes alone. While he is, others come; when all that was sent is
    answered, those of one shape go together. Each hears of its own order only after the common
    commit. If one of them is refused nothing of anybody is stored, and each goes alone: so a
    refusal takes nobody with it, and companies are smaller for a while.

    If the answer takes longer than `PATIENCE_SECONDS`, whoever waits goes beside those who are
    under way, spread over what is left of `most_turns`: a slow database is asked by many at once,
    as it was before there were companies. Nobody is sent later than `seconds` after it came.

    `stored_nothing` says of an error of `save` whether it is certain that nothing is stored.
    """

    def __init__(
        self,
        save: Save,
        *,
        most_turns: int,
        seconds: float,
        stored_nothing: Callable[[Exception], bool],
    ) -> None:
        self._save = save
        self._most_turns = most_turns
        self._seconds = seconds
        self._stored_nothing = stored_nothing
        self._waiting: list[_Waiting] = []
        self._turns = 0
        self._most = MOST_TOGETHER
        # Set while somebody waits.
        self._alarm: asyncio.TimerHandle | None = None
        self._companies: set[asyncio.Task[None]] = set()

    async def row(self, shape: Shape, order_id: str, values: Values) -> Row | None:
        """What `save` answers for this order, None if it stored nothing.

        Raises:
            StoreUnavailable: too many wait, or it waited too long; nothing is stored.
            Exception: what `save` raises.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self._seconds
        if not self._turns and not self._waiting:
            return await self._first(shape, values, until)
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable(f"{MOST_WAITING} saves wait already.")
        answer: asyncio.Future[Row | None] = loop.create_future()
        self._waiting.append(_Waiting(shape.in_company(), order_id, values, until, answer))
        self._watch()
        try:
            return await answer
        except _CompanyRefused:
            if loop.time() >= until:
                # A click that is stored much later than it was made is no double click any more.
                raise _too_late(self._seconds) from None
            return await self._alone(shape, values, until)

    async def close(self) -> None:
        """Come back when nobody waits and no company is under way."""
        while self._companies or self._waiting:
            answers: set[asyncio.Future[Any]] = {waiting.answer for waiting in self._waiting}
            await asyncio.wait(self._companies | answers)

    async def _first(self, shape: Shape, values: Values, until: float) -> Row | None:
        self._turns += 1
        try:
            return await self._alone(shape, values, until)
        finally:
            self._end_turn()

    async def _alone(self, shape: Shape, values: Values, until: float) -> Row | None:
        rows = await self._save(shape, values, until)
        return rows[0] if rows else None

    # Turns ----------------------------------------------------------------------------------

    def _end_turn(self) -> None:
        self._turns -= 1
        if not self._turns:
            self._send(most=self._most)

    def _watch(self) -> None:
        if self._waiting and self._alarm is None:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(PATIENCE_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._alarm = None
        free = max(1, self._most_turns - self._turns)
        self._send(most=min(self._most, -(-len(self._waiting) // free)))

    def _send(self, *, most: int) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for company in self._companies_that_go(most):
            self._turns += 1
            # Not in the context of whoever came last: the log lines would be his.
            task = asyncio.create_task(self._go(company), context=Context())
            self._companies.add(task)
            task.add_done_callback(partial(self._went, company))
        self._watch()

    def _companies_that_go(self, most: int) -> Iterator[Company]:
        now = asyncio.get_running_loop().time()
        free = self._most_turns - self._turns
        companies: list[dict[str, _Waiting]] = []
        filling: dict[Shape, dict[str, _Waiting]] = {}
        later: list[_Waiting] = []
        for waiting in self._waiting:
            if waiting.answer.done():
                continue  # Whoever wanted it was cancelled before it was sent.
            if waiting.until <= now:
                _tell(waiting, _too_late(self._seconds))
                continue
            company = filling.get(waiting.shape)
            if company is None or len(company) >= most:
                if len(companies) >= free:
                    later.append(waiting)
                    continue
                company = filling[waiting.shape] = {}
                companies.append(company)
            # Of one order only one save at a time: the rows tell them apart by its id.
            if any(waiting.order_id in other for other in companies):
                later.append(waiting)
            else:
                company[waiting.order_id] = waiting
        self._waiting = later
        for company in companies:
            if company:
                # In one order everywhere, or two companies could wait for each other's locks.
                yield sorted(company.values(), key=lambda waiting: waiting.order_id)

    async def _go(self, company: Company) -> None:
        try:
            values = Values.together([waiting.values for waiting in company])
            until = min(waiting.until for waiting in company)
            rows = await self._save(company[0].shape, values, until)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs
            refused = self._stored_nothing(error)
            if refused:
                self._most = max(1, self._most // 2)
            for waiting in company:
                _tell(waiting, _CompanyRefused() if refused else error)
        else:
            self._most = min(MOST_TOGETHER, self._most + 1)
            stored = {row[0]: row for row in rows}
            for waiting in company:
                _tell(waiting, stored.get(waiting.order_id))

    def _went(self, company: Company, ended: asyncio.Task[None]) -> None:
        self._companies.discard(ended)
        for waiting in company:
            # Only if it was cancelled, perhaps before it began.
            _tell(waiting, CommitUnknown("The save was cancelled under way."))
        self._end_turn()


def _too_late(seconds: float) -> StoreUnavailable:
    return StoreUnavailable(f"The save could not be sent within {seconds:g} s.")


def _tell(waiting: _Waiting, answer: Row | Exception | None) -> None:
    if waiting.answer.done():
        return  # Nobody waits any more.
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)
