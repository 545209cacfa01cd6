"""What waits for an answer or for a person."""

from dataclasses import dataclass

from order_core.order import Order
from order_core.ports import OrderRepository, ReceivedEvent


@dataclass(frozen=True, slots=True)
class Waiting:
    """Orders that are not at rest, and events that nobody could match."""

    orders: tuple[Order, ...]
    events: tuple[ReceivedEvent, ...]


@dataclass(frozen=True, slots=True)
class ListWaiting:
    """For `order-core open`, and for whoever is on call."""

    orders: OrderRepository

    async def __call__(self, *, limit: int = 100) -> Waiting:
        """At most `limit` of each, longest waiting orders and newest events first.

        Raises:
            StoreUnavailable: ask again.
        """
        return Waiting(
            await self.orders.unfinished(limit=limit),
            await self.orders.unmatched_events(limit=limit),
        )
