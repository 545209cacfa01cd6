"""A whole shop in memory, whose provider, clock and customers do what the test says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from order_core import Money, Order, OrderItem, OrderRequest, Policy, ShippingAddress
from order_core.assembly import OrderCore, assemble
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind
from order_core.payment_terms import CaptureMode
from order_memory import (
    InMemoryOrders,
    InMemoryOutbox,
    InMemoryWorkQueue,
    ManualClock,
    RecordingNotifier,
    ScriptedGateway,
    SequentialIds,
    Standing,
    TrustedPrices,
)

CUSTOMER = "ann"


def a_request(**but: Any) -> OrderRequest:
    """Two mugs for Ann, 25.00 euro, paid by a card that works."""
    values: dict[str, Any] = {
        "customer_id": CUSTOMER,
        "items": (OrderItem("mug", 2, Money(1250, "EUR")),),
        "shipping_address": ShippingAddress("1 Quay Street, Galway"),
        "payment_method": "ok",
        "email": "ann@example.com",
    }
    return OrderRequest(**(values | but))


@dataclass
class Shop:
    """All use cases that are assembled for it give out ids from one source, as real ones do."""

    policy: Policy = field(default_factory=Policy)
    ids: SequentialIds = field(default_factory=SequentialIds)

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.orders = InMemoryOrders(self.clock)
        self.gateway = ScriptedGateway(self.clock)
        self.notifier = RecordingNotifier()
        self.core = self.assembled()

    def assembled(self, **but: Any) -> OrderCore:
        """The use cases over this shop's ports, or over the ones given instead."""
        ports: dict[str, Any] = {
            "orders": self.orders,
            "work": InMemoryWorkQueue(self.orders),
            "outbox": InMemoryOutbox(self.orders),
            "gateways": {"scripted": self.gateway},
            "default_provider": "scripted",
            "prices": TrustedPrices(),
            "notifier": self.notifier,
            "clock": self.clock,
            "ids": self.ids,
            "policy": self.policy,
        }
        return assemble(**(ports | but))

    async def place(self, *, key: str | None = None, **but: Any) -> Order:
        return await self.core.place(a_request(**but), key=key)

    async def work_until(self, *, passed: timedelta = timedelta(hours=3)) -> None:
        """Let the worker do its rounds while `passed` goes by."""
        end = self.clock.now() + passed
        while self.clock.now() < end:
            core = self.core
            done = await core.recover() + await core.match() + await core.tell()
            if not done:
                self.clock.set(min(end, self._next_moment()))

    def _next_moment(self) -> datetime:
        now = self.clock.now()
        later = [o.attend_at for o in self.all_orders if o.attend_at and o.attend_at > now]
        # A lease that a dead process left behind ends at no moment that an order knows.
        held = any(o.attend_at and o.attend_at <= now for o in self.all_orders)
        soon = timedelta(seconds=15) if held else timedelta(minutes=30)
        return min([*later, now + soon])

    @property
    def all_orders(self) -> list[Order]:
        return [row.order for row in self.orders.store.rows()]

    def net_minor_units_at_the_provider(self) -> int:
        """What the provider took from buyers, less what it gave back."""
        sign = {TransactionKind.CHARGE: 1, TransactionKind.REFUND: -1}
        return sum(
            sign.get(entry.transaction.kind, 0) * entry.amount.minor_units
            for entry in self.gateway.ledger.entries
            if entry.standing is Standing.SUCCEEDED
        )

    def assert_order_and_money_agree(self) -> None:
        """The promise: at rest, what orders say and what the provider did are the same."""
        owed = 0
        for order in self.all_orders:
            assert order.attend_at is None, f"{order.id} never came to rest: {order}"
            kept = order.captured_minor_units - order.refunded_minor_units
            wanted = order.total.minor_units if order.status is OrderStatus.PENDING else 0
            assert kept == wanted, f"{order.id} is {order.status} and keeps {kept}: {order}"
            owed += kept
        assert self.net_minor_units_at_the_provider() == owed


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def make_shop() -> Callable[..., Shop]:
    return lambda **policy: Shop(Policy(**policy))


@pytest.fixture
def holding() -> Shop:
    """One that holds the money first, and takes it when the order begins to be processed."""
    return Shop(Policy(capture=CaptureMode.ON_PROCESSING))
