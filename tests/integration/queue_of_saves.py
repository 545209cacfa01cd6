"""A queue of saves whose database answers as a test says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from order_sqlalchemy.connections import NoneFree
from order_sqlalchemy.mapping import Row
from order_sqlalchemy.postgresql_queue import (
    Door,
    SaveQueue,
)
from order_sqlalchemy.postgresql_rows import Values
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.saving import Saving
from tests.integration.sqlalchemy_orders import a_lease, an_order

NOT_LONG = 1.0
SHAPE = Shape.of(Saving(an_order(), None, None, None, None))
OTHER_SHAPE = Shape.of(Saving(an_order(), None, None, a_lease(an_order(), "lease"), None))

Ids = list[str]


@dataclass
class Way:
    """A way to a database that answers with `answer`, over so many connections."""

    answer: Callable[[Ids], Awaitable[None]]
    connections: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(100))
    seconds: float = 60
    sent: list[Ids] = field(default_factory=list)

    async def take(self) -> None:
        try:
            async with asyncio.timeout(self.seconds):
                await self.connections.acquire()
        except TimeoutError:
            raise NoneFree("none") from None

    def _give_back(self, _connection: None) -> None:
        self.connections.release()

    async def _save(self, _connection: None, _shape: Shape, several: Sequence[Values]) -> list[Row]:
        ids = [str(values.orders[0]["id"]) for values in several]
        self.sent.append(ids)
        try:
            await self.answer(ids)
        finally:
            self.connections.release()
        return [(each, True) for each in ids]

    def queue(self, *, most_turns: int = 4, seconds: float = 60) -> SaveQueue[None]:
        self.seconds = seconds
        door = Door(self.take, self._give_back, self._save, lambda e: isinstance(e, ValueError))
        return SaveQueue(door, most_turns=most_turns, seconds=seconds)


def hanging(name: str) -> tuple[asyncio.Event, Callable[[Ids], Awaitable[None]]]:
    """An answer that comes at once to everybody but this one, who waits for the event."""
    goes_on = asyncio.Event()

    async def answer(ids: Ids) -> None:
        await (goes_on.wait() if ids == [f"o-{name}"] else asyncio.sleep(0))

    return goes_on, answer


async def row(queue: SaveQueue[None], name: object, shape: Shape = SHAPE) -> str | None:
    """What the save of this order comes to: the id in its row."""
    order_id = f"o-{name}"
    saved = await queue.row(shape, order_id, Values([{"id": order_id}], [], []))
    return saved[0] if saved else None


def begin(queue: SaveQueue[None], *names: object) -> list[asyncio.Task[str | None]]:
    """One save a name, each waiting in a task of its own."""
    return [asyncio.create_task(row(queue, name)) for name in names]


def kinds(told: Sequence[object]) -> list[type]:
    return [type(each) for each in told]
