"""Whatever the pretended provider does, orders and its books agree in the end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from order_core.assembly import OrderCore, assemble
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind
from order_core.shipping_address import ShippingAddress
from order_core.use_cases import OrderRequest
from order_memory import (
    InMemoryOrders,
    InMemoryOutbox,
    InMemoryWorkQueue,
    ManualClock,
    RecordingNotifier,
    SequentialIds,
    TrustedPrices,
)
from order_sandbox import SandboxGateway, SandboxLedger, Standing


class _Shop:
    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.ledger = SandboxLedger(path, now=self.clock.now)
        self.gateway = SandboxGateway(self.ledger, sleep=self.clock.sleep)
        orders = InMemoryOrders(self.clock)
        self.core: OrderCore = assemble(
            orders=orders,
            work=InMemoryWorkQueue(orders),
            outbox=InMemoryOutbox(orders),
            gateways={"sandbox": self.gateway},
            default_provider="sandbox",
            prices=TrustedPrices(),
            notifier=RecordingNotifier(),
            clock=self.clock,
            ids=SequentialIds(),
        )

    async def rest(self) -> None:
        """Let the worker look after everything for three hours."""
        for _ in range(180):
            await self.clock.sleep(60)
            await self.core.recover()

    def kept(self) -> int:
        """What the provider took and did not give back."""
        signs = {TransactionKind.CHARGE: 1, TransactionKind.CAPTURE: 1, TransactionKind.REFUND: -1}
        return sum(
            signs.get(entry.kind, 0) * entry.amount.minor_units
            for entry in self.ledger.entries()
            if entry.standing is Standing.SUCCEEDED
        )


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[_Shop]:
    shop = _Shop(tmp_path / "books.sqlite3")
    yield shop
    await shop.gateway.close()


def a_request(token: str) -> OrderRequest:
    return OrderRequest(
        customer_id="ann",
        items=(OrderItem("kettle", 1, Money(3990, "EUR")),),
        shipping_address=ShippingAddress("Kiel Canal 1"),
        payment_method=f"sandbox:{token}",
    )


@pytest.mark.parametrize(
    "token",
    [
        "ok",
        "once_ann",
        "two_step",
        "pending",
        "slow",
        "unknown_after_charge",
        "timeout_after_charge",
        "garbage",
        "rate_limited_once",
        "in_progress_once",
    ],
)
async def test_an_order_that_is_paid_is_placed(shop: _Shop, token: str) -> None:
    order = await shop.core.place(a_request(token), key=None)
    await shop.rest()

    order = await shop.core.get(order.id, customer_id="ann")
    assert order.status is OrderStatus.PENDING
    assert order.captured_minor_units == shop.kept() == 3990


@pytest.mark.parametrize(
    "token",
    [
        "declined",
        "insufficient_funds",
        "pending_then_declined",
        "action_required",
        "unknown",
        "timeout_before_charge",
        "not_sent",
    ],
)
async def test_an_order_that_is_not_paid_fails(shop: _Shop, token: str) -> None:
    order = await shop.core.place(a_request(token), key=None)
    await shop.rest()

    order = await shop.core.get(order.id, customer_id="ann")
    assert order.status is OrderStatus.PAYMENT_FAILED
    assert shop.kept() == 0


async def test_an_order_that_the_buyer_approves_is_placed(shop: _Shop) -> None:
    order = await shop.core.place(a_request("action_required"), key=None)
    assert order.charge.provider_reference
    shop.ledger.approve(order.charge.provider_reference)
    await shop.rest()

    order = await shop.core.get(order.id, customer_id="ann")
    assert order.status is OrderStatus.PENDING
    assert shop.kept() == 3990


@pytest.mark.parametrize("token", ["ok", "refund_unknown", "timeout_after_charge", "pending"])
async def test_a_cancelled_order_keeps_nothing(shop: _Shop, token: str) -> None:
    order = await shop.core.place(a_request(token), key=None)

    await shop.core.cancel(order.id, customer_id="ann", key=None)
    await shop.rest()

    order = await shop.core.get(order.id, customer_id="ann")
    assert order.status is OrderStatus.CANCELLED
    assert shop.kept() == 0
    assert order.refunded_minor_units == order.captured_minor_units == 3990


async def test_a_refund_that_is_refused_ends_with_a_person(shop: _Shop) -> None:
    order = await shop.core.place(a_request("refund_declined"), key=None)

    await shop.core.cancel(order.id, customer_id="ann", key=None)
    await shop.rest()

    order = await shop.core.get(order.id, customer_id="ann")
    assert order.status is OrderStatus.CANCELLED
    assert order.payment_status == "in_review"
    assert shop.kept() == 3990


async def test_another_amount_than_was_asked_for_ends_with_a_person(shop: _Shop) -> None:
    order = await shop.core.place(a_request("wrong_amount"), key=None)
    await shop.rest()

    order = await shop.core.get(order.id, customer_id="ann")
    assert order.payment_status == "in_review"
    assert shop.kept() == 3991
