"""The queue of the saves: whoever waits together is saved together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from order_core.errors import CommitUnknown, StoreUnavailable
from order_sqlalchemy.mapping import Row
from order_sqlalchemy.postgresql_rows import Values
from order_sqlalchemy.postgresql_shape import Shape

MOST_TOGETHER: Final = 32
MOST_WAITING: Final = 1024
PATIENCE_SECONDS: Final = 0.1

Save = Callable[[Shape, Values], Awaitable[list[Row]]]
"""Stores orders of one shape. Its rows begin with the ids of those that were stored."""


class _CompanyRefused(Exception):
    """Nothing of anybody is stored."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    shape: Shape
    """Of its company."""
    order_id: str
    values: Values
    answer: asyncio.Future[Row | None]


class SaveQueue:
    """Saves in turns, with `save`, which stores all that it is given or nothing of it.

    While one save is under way, others come. They go when it ends, or has taken longer than
    `PATIENCE_SECONDS`, and those of one shape go together. Each hears of its own order only after
    the common commit. If one of them is refused nothing of anybody is stored, and each goes alone:
    so a refusal takes nobody with it. After a refusal, and after each turn that took too long,
    companies are smaller for a while: what was in their way may be there still.

    `stored_nothing` says of an error of `save` whether it is certain that nothing is stored.
    """

    def __init__(self, save: Save, *, stored_nothing: Callable[[Exception], bool]) -> None:
        self._save = save
        self._stored_nothing = stored_nothing
        self._waiting: deque[_Waiting] = deque()
        # The turn that the others wait for: when patience with it ends.
        self._turn: asyncio.TimerHandle | None = None
        self._most = MOST_TOGETHER
        self._companies: set[asyncio.Task[None]] = set()

    async def row(self, shape: Shape, order_id: str, values: Values) -> Row | None:
        """What `save` answers for this order, None if it stored nothing.

        Raises:
            StoreUnavailable: too many wait; nothing was sent.
            Exception: what `save` raises.
        """
        if self._turn is None:
            return await self._first(shape, values)
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable(f"{MOST_WAITING} saves wait already.")
        answer: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(shape.in_company(), order_id, values, answer))
        try:
            return await answer
        except _CompanyRefused:
            return await self._alone(shape, values)

    async def close(self) -> None:
        """Come back when no company is under way; whoever goes alone has a caller who waits."""
        while self._companies:
            await asyncio.wait(self._companies)

    async def _first(self, shape: Shape, values: Values) -> Row | None:
        turn = self._take_turn()
        try:
            return await self._alone(shape, values)
        finally:
            self._pass_on(turn)

    async def _alone(self, shape: Shape, values: Values) -> Row | None:
        rows = await self._save(shape, values)
        return rows[0] if rows else None

    def _take_turn(self) -> asyncio.TimerHandle:
        # One that waits for a lock keeps its own company waiting, but nobody else.
        turn: asyncio.TimerHandle = asyncio.get_running_loop().call_later(
            PATIENCE_SECONDS, lambda: self._lose_patience(turn)
        )
        self._turn = turn
        return turn

    def _lose_patience(self, turn: asyncio.TimerHandle) -> None:
        self._shrink()
        self._pass_on(turn)

    def _shrink(self) -> None:
        self._most = max(1, self._most // 2)

    def _pass_on(self, turn: asyncio.TimerHandle) -> None:
        turn.cancel()
        if self._turn is not turn:
            return  # Its patience was over before, and others have had their turn since.
        self._turn = None
        if company := self._next_company():
            task = asyncio.create_task(self._go(company, self._take_turn()))
            self._companies.add(task)
            task.add_done_callback(self._companies.discard)

    def _next_company(self) -> list[_Waiting]:
        shape: Shape | None = None
        company: dict[str, _Waiting] = {}
        later: list[_Waiting] = []
        while self._waiting and len(company) < self._most:
            waiting = self._waiting.popleft()
            if waiting.answer.done():
                continue  # Whoever wanted it was cancelled before it was sent.
            shape = shape or waiting.shape
            # Of one order only one save: the rows tell them apart by its id.
            if waiting.shape == shape and waiting.order_id not in company:
                company[waiting.order_id] = waiting
            else:
                later.append(waiting)
        self._waiting.extendleft(reversed(later))
        # In one order everywhere, or two companies could wait for each other's locks.
        return sorted(company.values(), key=lambda waiting: waiting.order_id)

    async def _go(self, company: list[_Waiting], turn: asyncio.TimerHandle) -> None:
        try:
            values = Values.together([waiting.values for waiting in company])
            rows = await self._save(company[0].shape, values)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs
            refused = self._stored_nothing(error)
            if refused:
                self._shrink()
            for waiting in company:
                _tell(waiting, _CompanyRefused() if refused else error)
        except asyncio.CancelledError:
            for waiting in company:
                _tell(waiting, CommitUnknown("The save was cancelled under way."))
            raise
        else:
            if self._turn is turn:
                self._most = min(MOST_TOGETHER, self._most + 1)
            stored = {row[0]: row for row in rows}
            for waiting in company:
                _tell(waiting, stored.get(waiting.order_id))
        finally:
            self._pass_on(turn)


def _tell(waiting: _Waiting, answer: Row | Exception | None) -> None:
    if waiting.answer.done():
        return  # Nobody waits any more.
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)
