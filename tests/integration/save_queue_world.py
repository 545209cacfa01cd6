"""Random customers save through a queue, over a database that does what it likes."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from order_core.errors import CommitUnknown, StoreUnavailable
from order_sqlalchemy.connections import NoneFree
from order_sqlalchemy.mapping import Row
from order_sqlalchemy.postgresql_queue import MOST_TOGETHER, PATIENCE_SECONDS, Door, SaveQueue
from order_sqlalchemy.postgresql_rows import Values
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.saving import Saving
from tests.integration.sqlalchemy_orders import an_order

_SHAPE = Shape.of(Saving(an_order(), None, None, None, None))
_SHAPES = [
    _SHAPE,
    _SHAPE._replace(has_key=True),
    *(_SHAPE._replace(transactions=n) for n in (2, 3)),
]
_CERTAIN = (ValueError, StoreUnavailable)
_A_LITTLE = 1e-6


@dataclass(eq=False)
class _Ask:
    order_id: str
    version: int
    shape: Shape
    is_refused: bool
    """By the database, whenever it comes."""
    until: float
    sends: int = 0
    was_cancelled_unsent: bool = False


class World:
    """One seed's database, readers and customers."""

    def __init__(self, seed: int) -> None:
        self.faults: list[str] = []
        self.saves = 0
        self._chance = chance = random.Random(seed)
        self._mean = chance.choice([0.0001, 0.001, 0.02, 0.05, 0.3])
        self._seconds = chance.choice([0.05, 0.3, 1.0, 5.0])
        self._cuts = chance.choice([0, 0.05])
        self._cancels = chance.choice([0, 0.1, 0.4])
        self._unreachable = chance.choice([0, 0, 0.1])
        self._ends_tasks = chance.choice([0, 0, 0.05])
        self._customers = chance.choice([3, 20, 80])
        self._orders = chance.choice([1, 3, 60, 400])
        self._readers = chance.choice([0, 0, 5, 20])
        self._pool = chance.choice([1, 2, 3, 5, 10])
        self._most_turns = chance.choice([1, 1, 2, 4, 7])
        self._free = asyncio.Semaphore(self._pool)
        self._versions: Counter[str] = Counter()
        self._stored: set[_Ask] = set()
        self._under_way: Counter[str] = Counter()
        self._is_open = True

    async def play(self) -> None:
        """Until all have been told, and nothing is left behind."""
        door = Door(self._take, self._give_back, self._save, lambda e: isinstance(e, ValueError))
        queue = SaveQueue(door, most_turns=self._most_turns, seconds=self._seconds)
        beside = [self._read() for _ in range(self._readers)]
        if self._ends_tasks:
            beside.append(self._end_tasks(queue))
        others = [asyncio.create_task(each) for each in beside]
        await asyncio.gather(*(self._customer(queue) for _ in range(self._customers)))
        await asyncio.wait_for(queue.close(), 1_000)
        self._is_open = False
        await asyncio.gather(*others)
        left = [queue._turns, queue._waiting, queue._tasks]  # noqa: SLF001 - what nobody else sees
        self._must(not any(left), f"left behind: {left}")
        self._must(self._free._value == self._pool, "a connection was lost")  # noqa: SLF001 - likewise

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            self.faults.append(what)

    async def _pause(self, times: float = 1.0) -> None:
        await asyncio.sleep(times * self._chance.expovariate(1 / self._mean))

    # The database ---------------------------------------------------------------------------

    async def _take(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            raise NoneFree("none") from None
        if self._chance.random() < self._unreachable:
            self._free.release()
            raise StoreUnavailable("not reached")

    def _give_back(self, _connection: None) -> None:
        self._free.release()

    async def _save(self, _connection: None, shape: Shape, several: Sequence[Values]) -> list[Row]:
        asked: list[_Ask] = [values.orders[0]["ask"] for values in several]
        ids = [ask.order_id for ask in asked]
        self._under_way.update(ids)
        try:
            self._look_at(shape, asked, ids)
            await self._pause(self._chance.choice([1, 1, 1, 20]))
            if any(ask.is_refused for ask in asked):
                raise ValueError("one of them is refused")
            stored = [ask for ask in asked if ask.version == self._versions[ask.order_id]]
            self._versions.update(ask.order_id for ask in stored)
            self._stored.update(stored)
            self._chance.shuffle(stored)
            if self._chance.random() < self._cuts:
                raise ConnectionResetError
            await self._pause()
            return [(ask.order_id, ask) for ask in stored]
        finally:
            self._under_way.subtract(ids)
            self._free.release()

    def _look_at(self, shape: Shape, asked: list[_Ask], ids: list[str]) -> None:
        now = asyncio.get_running_loop().time()
        self._must(ids == sorted(ids), "not in the order of ids")
        self._must(len(ids) <= MOST_TOGETHER, "too many together")
        self._must(max(self._under_way[each] for each in ids) == 1, "one order twice under way")
        self._must(shape.is_company == (len(ids) > 1), "the wrong statement")
        kinds = {each.in_company() for each in (shape, *(ask.shape for ask in asked))}
        self._must(len(kinds) == 1, "different statements together")
        for ask in asked:
            ask.sends += 1
            self._must(now <= ask.until + _A_LITTLE, "sent too late")
            self._must(not ask.was_cancelled_unsent, "sent though it was cancelled before")

    # Those who act --------------------------------------------------------------------------

    async def _read(self) -> None:
        while self._is_open:
            async with self._free:
                await self._pause()
            await self._pause()

    async def _end_tasks(self, queue: SaveQueue[None]) -> None:
        while self._is_open:
            await self._pause()
            for task in list(queue._tasks):  # noqa: SLF001 - as a host that ends all tasks does
                if self._chance.random() < self._ends_tasks:
                    task.cancel()

    async def _customer(self, queue: SaveQueue[None]) -> None:
        chance = self._chance
        for _ in range(chance.randint(1, 6)):
            await self._pause(chance.choice([0, 0.1, 3]))
            order_id = f"o-{chance.randint(0, self._orders):03}"
            version = self._versions[order_id] - (chance.random() < 0.1)
            until = asyncio.get_running_loop().time() + self._seconds
            shape, is_refused = chance.choice(_SHAPES), chance.random() < 0.03
            await self._ask(queue, _Ask(order_id, version, shape, is_refused, until))

    async def _ask(self, queue: SaveQueue[None], ask: _Ask) -> None:
        self.saves += 1
        values = Values([{"id": ask.order_id, "ask": ask}], [], [])
        saving = asyncio.ensure_future(queue.row(ask.shape, ask.order_id, values))
        if self._chance.random() < self._cancels:
            await asyncio.wait([saving], timeout=self._chance.expovariate(1 / self._mean))
            ask.was_cancelled_unsent = not (saving.done() or ask.sends)
            saving.cancel()
        told: Any = (await asyncio.gather(saving, return_exceptions=True))[0]
        late = asyncio.get_running_loop().time() - ask.until
        is_stored = ask in self._stored
        match told:
            case asyncio.CancelledError():
                return
            case CommitUnknown():
                self._must(bool(self._ends_tasks), "unknown, although nobody ended a task")
            case ConnectionResetError():
                self._must(bool(self._cuts), "cut, although nothing was")
            case _ if isinstance(told, _CERTAIN):
                self._must(not is_stored, f"stored, although told {told!r}")
                alone = isinstance(told, ValueError)
                self._must(not alone or ask.is_refused, "refused because of another")
            case _:
                self._must((told is not None) == is_stored, "told otherwise than it is stored")
                self._must(told is None or told[1] is ask, "told of another")
        if not ask.sends:
            self._must(late <= PATIENCE_SECONDS + _A_LITTLE, "heard too late")
