"""What memory keeps beside the orders, and need not."""

from datetime import datetime

from order_core.events import OrderPlaced
from order_core.order_status import OrderStatus
from order_memory.orders import InMemoryOrders
from order_memory.store import OrderRow


class InMemoryLeftovers:
    """`Leftovers` of `orders`."""

    def __init__(self, orders: InMemoryOrders) -> None:
        self._store = orders.store

    async def forget_events(self, *, before: datetime, limit: int) -> int:
        old = sorted(
            (
                event
                for event in self._store.received()
                if event.verdict != "unknown_transaction" and event.received_at < before
            ),
            key=lambda event: event.place,
        )[:limit]
        for event in old:
            self._store.forget_event(event)
        return len(old)

    async def forget_contents(self, *, before: datetime, limit: int) -> int:
        old = [
            row.order.id
            for row in self._store.rows()
            if _opened_or_placed(row) < before
            and row.order.status is not OrderStatus.AWAITING_PAYMENT
            and self._store.is_compared(row.order.id)
        ][:limit]
        for order_id in old:
            self._store.forget_content(order_id)
        return len(old)


def _opened_or_placed(row: OrderRow) -> datetime:
    placed = [happened.at for happened in row.events if isinstance(happened.event, OrderPlaced)]
    return max([row.order.created_at, *placed])
