"""What Square never delivered is found in its record, and booked once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from order_core import Money, Order, OrderItem, OrderRequest, ShippingAddress
from order_core.assembly import OrderCore, assemble
from order_core.order import PaymentStatus
from order_core.payment import TransactionKind
from order_core.use_cases.take_in import NO_NEWS
from order_memory import RecordingNotifier, TrustedPrices
from order_sqlalchemy import Database, SqlOrders, SqlOutbox, SqlWorkQueue
from order_system.clock import SystemClock
from order_system.ids import TimeOrderedIds
from tests.integration.square_wire import PAYS, Square, Time

pytest_plugins = ["tests.integration.sqlalchemy_database"]


@dataclass
class SquareShop:
    """A shop over a real database. Square lives some hours ago, so that what it tells is late."""

    database: Database
    square: Square

    def core(self) -> OrderCore:
        """The use cases of one process; each has its own."""
        return assemble(
            orders=SqlOrders(self.database),
            work=SqlWorkQueue(self.database),
            outbox=SqlOutbox(self.database),
            gateways={"square": self.square.gateway},
            default_provider="square",
            prices=TrustedPrices(),
            notifier=RecordingNotifier(),
            clock=SystemClock(),
            ids=TimeOrderedIds(),
            webhooks={"square": self.square.webhooks},
            event_logs={"square": self.square.event_log},
        )

    async def paid(self) -> Order:
        request = OrderRequest(
            customer_id="ann",
            items=(OrderItem("kettle", 1, Money(2500, "EUR")),),
            shipping_address=ShippingAddress("Kiel Canal 1"),
            payment_method=f"square:{PAYS}",
        )
        return await self.core().place(request, key=None)

    async def lose_what_is_told(self) -> None:
        await self.square.deliveries()
        await self.square.control("webhooks", {"action": "hold"})

    async def hear(self) -> list[str]:
        """Have everything delivered that was not; what it came to."""
        before = len(self.square.told)
        await self.square.control("webhooks", {"action": "release"})
        late = (await self.square.deliveries())[before:]
        core = self.core()
        return [(await core.receive_webhook("square", *each)).verdict for each in late]

    async def stored(self, order: Order) -> Order:
        return await SqlOrders(self.database).get(order.id)


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[SquareShop]:
    time = Time()
    time.is_now = datetime.now(UTC) - timedelta(hours=3)
    square = Square(time)
    await square.ask("PUT", "/v2/events/enable")
    yield SquareShop(database, square)
    await square.gateway.close()


async def walked(core: OrderCore) -> int:
    """How much the worker's chore took in, in as many rounds as a walk may need."""
    return sum([await core.reconcile(limit=20) for _ in range(20)])


def reference(order: Order) -> str:
    return str(order.transactions[0].provider_reference)


def refunds(order: Order) -> list[int]:
    kind = TransactionKind.REFUND
    return [each.amount.minor_units for each in order.transactions if each.kind is kind]


@pytest.mark.parametrize("others", [0, 110])
async def test_a_dashboard_refund_whose_event_was_lost_is_booked_by_the_reconciliation(
    shop: SquareShop, others: int
) -> None:
    order = await shop.paid()
    await shop.lose_what_is_told()
    for number in range(others):
        await shop.square.pay_beside_us(f"p-{number}")
    await shop.square.refund_at_the_dashboard(reference(order), 700)
    shop.square.time.passes(seconds=3)
    assert (await shop.stored(order)).refunded_minor_units == 0

    await walked(shop.core())

    booked = await shop.stored(order)
    assert booked.refunded_minor_units == 700
    assert booked.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    assert refunds(booked) == [700]
    searches = [r for r in shop.square.wire.requests if r.url.path == "/v2/events"]
    assert len(searches) == (1 if others == 0 else 2)


async def test_what_was_found_on_record_does_nothing_when_it_is_delivered_late(
    shop: SquareShop,
) -> None:
    order = await shop.paid()
    await shop.lose_what_is_told()
    await shop.square.refund_at_the_dashboard(reference(order), 700)
    shop.square.time.passes(seconds=3)
    await walked(shop.core())
    booked = await shop.stored(order)

    verdicts = await shop.hear()

    assert verdicts == [NO_NEWS, NO_NEWS]
    assert await shop.stored(order) == booked
    assert await walked(shop.core()) == 0


async def test_what_was_delivered_is_not_taken_in_again(shop: SquareShop) -> None:
    order = await shop.paid()
    await shop.square.refund_at_the_dashboard(reference(order), 700)
    shop.square.time.passes(seconds=3)
    await shop.square.ask("GET", "/v2/refunds")
    core = shop.core()
    for each in await shop.square.deliveries():
        await core.receive_webhook("square", *each)

    assert (await shop.stored(order)).refunded_minor_units == 700
    assert await walked(shop.core()) == 0


async def test_a_record_that_was_never_kept_is_told_in_the_log(
    shop: SquareShop, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.square.ask("PUT", "/v2/events/disable")
    order = await shop.paid()
    await shop.square.refund_at_the_dashboard(reference(order), 700)

    assert await walked(shop.core()) == 0

    [told] = [each for each in caplog.records if each.name.endswith("reconcile")]
    assert "PUT /v2/events/enable" in told.getMessage()
    asked: list[Any] = [request.method for request in shop.square.wire.requests]
    assert asked.count("PUT") == 2
