"""The work queue over the orders in memory."""

from datetime import timedelta

from order_core.ports import Claim, Lease
from order_memory.orders import InMemoryOrders


class InMemoryWorkQueue:
    """Hands out the unfinished orders of `orders`."""

    def __init__(self, orders: InMemoryOrders) -> None:
        self._store = orders.store

    async def claim(
        self, *, limit: int, hold: timedelta, tokens: tuple[str, ...]
    ) -> tuple[Claim, ...]:
        if len(tokens) < limit:
            raise ValueError(f"{limit} leases need {limit} tokens, not {len(tokens)}")
        free = [order_id for order_id in self._store.due() if not self._store.lease(order_id)]
        claims = []
        for order_id, token in zip(free[:limit], tokens, strict=False):
            lease = Lease(order_id, token, hold, by_request=False)
            self._store.take(lease)
            claims.append(Claim(self._store.row(order_id).order, lease))
        return tuple(claims)

    async def release(self, lease: Lease, /) -> None:
        self._store.release(lease)
