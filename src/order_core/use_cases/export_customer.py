"""Read everything that is kept of one customer."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from order_core.order import Order
from order_core.ports import CustomerData, HeldRequest, HeldSession, OrderTraces

PAGE: Final = 100
"""So many orders or requests are read, and held in memory, at once."""


@dataclass(frozen=True, slots=True)
class ExportCustomer:
    """Reads page by page, and changes nothing."""

    data: CustomerData

    async def orders(self, customer_id: str) -> AsyncGenerator[tuple[Order, OrderTraces]]:
        """Every order, placed or not, oldest first, with what is kept beside it.

        Raises:
            StoreUnavailable: the rest could not be read.
        """
        after = None
        while True:
            page = await self.data.orders(customer_id, after=after, limit=PAGE)
            for held in page:
                yield held.order, await self.data.traces(held.order.id)
            if len(page) < PAGE:
                return
            after = (page[-1].order.created_at, page[-1].order.id)

    async def requests(self, customer_id: str) -> AsyncGenerator[HeldRequest]:
        """Every request that carried an Idempotency-Key.

        Raises:
            StoreUnavailable: the rest could not be read.
        """
        after = None
        while True:
            page = await self.data.requests(customer_id, after=after, limit=PAGE)
            for held in page:
                yield held
            if len(page) < PAGE:
                return
            after = (page[-1].record.route, page[-1].record.key)

    async def sessions(self, customer_id: str) -> AsyncGenerator[HeldSession]:
        """Every session in which a client acts for the customer.

        Raises:
            StoreUnavailable: they could not be read.
        """
        for session in await self.data.sessions(customer_id):
            yield session
