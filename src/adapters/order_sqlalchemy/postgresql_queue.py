"""The queue of the saves: whoever waits together is saved together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from order_core.errors import StoreUnavailable
from order_sqlalchemy.mapping import Row

MOST_TOGETHER: Final = 32
MOST_WAITING: Final = 1024
PATIENCE_SECONDS: Final = 0.1

Arguments = Sequence[Any]


class _CompanyRefused(Exception):
    """Nothing of anybody is stored."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    statement: str
    order_id: str
    arguments: Arguments
    answer: asyncio.Future[Row | None]


class SaveQueue:
    """Runs statements of one order each, whose rows begin with the id of the order that was stored.

    While one runs, others come. They go when it ends, or has taken longer than
    `PATIENCE_SECONDS`, and those of the same statement go together: once for each order, in one
    transaction and one round trip. Each hears of its own order only after the common commit. If
    one of them is refused nothing of anybody is stored, and each goes alone: so a refusal takes
    nobody with it.

    `alone` runs a statement for one, `together` for each of many in one transaction.
    `stored_nothing` says of an error of theirs whether it is certain that nothing is stored.
    """

    def __init__(
        self,
        alone: Callable[[str, Arguments], Awaitable[list[Row]]],
        together: Callable[[str, list[Arguments]], Awaitable[list[Row]]],
        *,
        stored_nothing: Callable[[Exception], bool],
    ) -> None:
        self._alone = alone
        self._together = together
        self._stored_nothing = stored_nothing
        self._waiting: deque[_Waiting] = deque()
        # The turn that the others wait for: when patience with it ends.
        self._turn: asyncio.TimerHandle | None = None
        self._companies: set[asyncio.Task[None]] = set()

    async def row(self, statement: str, order_id: str, arguments: Arguments) -> Row | None:
        """What the statement answers for this order, None if it stored nothing.

        Raises:
            StoreUnavailable: too many wait; nothing was sent.
            Exception: what `alone` or `together` raises.
        """
        if self._turn is None:
            return await self._first(statement, arguments)
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable(f"{MOST_WAITING} saves wait already.")
        answer: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(statement, order_id, arguments, answer))
        try:
            return await answer
        except _CompanyRefused:
            return await self._by_itself(statement, arguments)

    async def close(self) -> None:
        """Come back when nothing is under way."""
        while self._companies:
            await asyncio.wait(self._companies)

    async def _first(self, statement: str, arguments: Arguments) -> Row | None:
        turn = self._take_turn()
        try:
            return await self._by_itself(statement, arguments)
        finally:
            self._pass_on(turn)

    async def _by_itself(self, statement: str, arguments: Arguments) -> Row | None:
        rows = await self._alone(statement, arguments)
        return rows[0] if rows else None

    def _take_turn(self) -> asyncio.TimerHandle:
        # One that waits for a lock keeps its own company waiting, but nobody else.
        turn: asyncio.TimerHandle = asyncio.get_running_loop().call_later(
            PATIENCE_SECONDS, lambda: self._pass_on(turn)
        )
        self._turn = turn
        return turn

    def _pass_on(self, turn: asyncio.TimerHandle) -> None:
        turn.cancel()
        if self._turn is not turn:
            return  # Its patience was over before, and others have had their turn since.
        self._turn = None
        if company := self._next_company():
            task = asyncio.create_task(self._save(company, self._take_turn()))
            self._companies.add(task)
            task.add_done_callback(self._companies.discard)

    def _next_company(self) -> list[_Waiting]:
        statement: str | None = None
        company: dict[str, _Waiting] = {}
        later: list[_Waiting] = []
        while self._waiting and len(company) < MOST_TOGETHER:
            waiting = self._waiting.popleft()
            if waiting.answer.done():
                continue  # Whoever wanted it was cancelled before it was sent.
            statement = statement or waiting.statement
            # Of one order only one save: the rows tell them apart by its id.
            if waiting.statement == statement and waiting.order_id not in company:
                company[waiting.order_id] = waiting
            else:
                later.append(waiting)
        self._waiting.extendleft(reversed(later))
        # In one order everywhere, or two companies could wait for each other's locks.
        return sorted(company.values(), key=lambda waiting: waiting.order_id)

    async def _save(self, company: list[_Waiting], turn: asyncio.TimerHandle) -> None:
        try:
            rows = await self._together(
                company[0].statement, [waiting.arguments for waiting in company]
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs
            told = _CompanyRefused() if self._stored_nothing(error) else error
            for waiting in company:
                _tell(waiting, told)
        else:
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
