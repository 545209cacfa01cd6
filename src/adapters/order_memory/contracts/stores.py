"""What the suites over a store share."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from order_core.order import Order
from order_core.ports import Lease, OrderRepository, Outbox, WorkQueue

LONG: Final = timedelta(minutes=5)
"""Does not end while a test runs, not even on a slow machine."""
SHORT: Final = timedelta(milliseconds=200)
"""Nothing is asserted before it ends, only after."""
LONGER_THAN_SHORT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Stores:
    """Three ports over one store, which is empty."""

    orders: OrderRepository
    work: WorkQueue
    outbox: Outbox


class StoreSuite:
    """Override `stores`; and `now` and `pass_time` if the store does not live in real time."""

    @pytest.fixture
    async def stores(self) -> Stores:
        """An empty store for each test."""
        raise NotImplementedError

    @pytest.fixture
    async def orders(self, stores: Stores) -> OrderRepository:
        """The repository of the empty store."""
        return stores.orders

    def now(self) -> datetime:
        """The present moment by the store's clock."""
        return datetime.now(UTC)

    async def pass_time(self, seconds: float) -> None:
        """Let so much time pass by the store's clock."""
        await asyncio.sleep(seconds)


def a_lease(order: Order, token: str, *, lasts: timedelta = LONG, by_request: bool = True) -> Lease:
    """A wish to hold `order`."""
    return Lease(order.id, token, lasts, by_request)
