"""The outbox: the events in SQL that the customer has still to be told of."""

from datetime import timedelta

from order_core.ports import Notice
from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import Row, happened_from, microseconds, order_from
from order_sqlalchemy.unreadable import readable


class SqlOutbox:
    """An `Outbox` over the events of `database`. Any number of workers may share it.

    Events of an order without a contact were marked as told when they were saved.
    """

    def __init__(self, database: Database) -> None:
        self._store = database.store

    async def claim_notices(self, *, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        claimed = await self._store.claim_notices(limit, microseconds(hold))
        # One that cannot be read is claimed again later, and keeps the others from nothing.
        notices = readable(claimed, _notice, name=lambda row: f"event {row[0]} of order {row[5]}")
        notices.sort(key=lambda n: (n.happened.at, n.order.id, n.happened.sequence))
        return tuple(notices)

    async def told(self, notice: Notice, /) -> None:
        await self._store.change(self._store.statements.told, *_key(notice))

    async def tell_later(self, notice: Notice, /, *, delay: timedelta) -> None:
        later = self._store.statements.tell_later
        await self._store.change(later, *_key(notice), microseconds(delay))

    async def give_up(self, notice: Notice, /, *, because: str) -> None:
        await self._store.change(self._store.statements.give_up, *_key(notice), because)


def _notice(row: Row) -> Notice:
    sequence, at_us, name, data, attempts, *order_row = row
    order = order_from(order_row)
    happened = happened_from(sequence, at_us, name, data)
    return Notice(order, happened, order.email or "", attempts)


def _key(notice: Notice) -> tuple[str, int]:
    return notice.order.id, notice.happened.sequence
