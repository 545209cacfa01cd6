"""The outbox: the events in SQL that the customer has still to be told of."""

from datetime import timedelta

from order_core.ports import Notice
from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import happened_from, microseconds, order_from


class SqlOutbox:
    """An `Outbox` over the events of `database`. Any number of workers may share it.

    Events of an order without a contact were marked as told when they were saved.
    """

    def __init__(self, database: Database) -> None:
        self._store = database.store

    async def claim_notices(self, *, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        claimed = await self._store.claim_notices(limit, microseconds(hold))
        notices = []
        for sequence, at_us, name, data, attempts, *row in claimed:
            order = order_from(row)
            happened = happened_from(sequence, at_us, name, data)
            notices.append(Notice(order, happened, order.email or "", attempts))
        notices.sort(key=lambda n: (n.happened.at, n.order.id, n.happened.sequence))
        return tuple(notices)

    async def told(self, notice: Notice, /) -> None:
        await self._store.change(self._store.statements.told, *_key(notice))

    async def tell_later(self, notice: Notice, /, *, delay: timedelta) -> None:
        later = self._store.statements.tell_later
        await self._store.change(later, *_key(notice), microseconds(delay))

    async def give_up(self, notice: Notice, /, *, because: str) -> None:
        await self._store.change(self._store.statements.give_up, *_key(notice), because)


def _key(notice: Notice) -> tuple[str, int]:
    return notice.order.id, notice.happened.sequence
