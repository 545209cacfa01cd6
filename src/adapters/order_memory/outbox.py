"""The outbox over the orders in memory."""

from datetime import timedelta

from order_core.immutable import replace
from order_core.ports import Notice
from order_memory.orders import InMemoryOrders


class InMemoryOutbox:
    """Hands out the events of `orders` that have to be told."""

    def __init__(self, orders: InMemoryOrders) -> None:
        self._store = orders.store

    async def claim_notices(self, *, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        claimed: list[Notice] = []
        for row in self._store.untold():
            if len(claimed) == limit:
                break
            order = self._store.row(row.order_id).order
            if order.email is None:
                self._store.change_notice(replace(row, told=True))
                continue
            self._store.change_notice(replace(row, due_at=self._store.clock.now() + hold))
            claimed.append(Notice(order, row.happened, order.email, row.attempts))
        return tuple(claimed)

    async def told(self, notice: Notice, /) -> None:
        row = self._store.notice(notice)
        if row.waits:
            self._store.change_notice(replace(row, told=True))

    async def tell_later(self, notice: Notice, /, *, delay: timedelta) -> None:
        row = self._store.notice(notice)
        if row.waits:
            due_at = self._store.clock.now() + delay
            self._store.change_notice(replace(row, due_at=due_at, attempts=row.attempts + 1))

    async def give_up(self, notice: Notice, /, *, because: str) -> None:
        row = self._store.notice(notice)
        # A worker that was too slow must not revive what another one has finished.
        if row.waits:
            self._store.change_notice(replace(row, given_up_because=because))

    @property
    def given_up(self) -> tuple[tuple[str, str], ...]:
        """The notices that can never be delivered: their ids, and why."""
        return tuple(
            (f"{row.order_id}.{row.happened.sequence}", row.given_up_because or "")
            for row in self._store.given_up()
        )
