"""What Adyen's events make of an order, when nothing but an event can tell."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from order_core.assembly import OrderCore, assemble
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import Origin, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode, Policy
from order_core.reviewing import ReviewDecision
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
from tests.integration.adyen_events import an_event
from tests.integration.adyen_wire import NOON, PAYS, Adyen, breaches, specification


class AdyenShop:
    """A shop that is paid through the pretended Adyen, and hears what a test has Adyen tell."""

    def __init__(self, capture: CaptureMode) -> None:
        self.clock = ManualClock(NOON)
        self.adyen = Adyen()
        self.orders = InMemoryOrders(self.clock)
        self.core: OrderCore = assemble(
            orders=self.orders,
            work=InMemoryWorkQueue(self.orders),
            outbox=InMemoryOutbox(self.orders),
            gateways={"adyen": self.adyen.gateway},
            webhooks={"adyen": self.adyen.webhooks},
            default_provider="adyen",
            prices=TrustedPrices(),
            notifier=RecordingNotifier(),
            clock=self.clock,
            ids=SequentialIds(),
            policy=Policy(capture=capture),
        )

    async def place(self, token: str = PAYS) -> Order:
        request = OrderRequest(
            customer_id="ann",
            items=(OrderItem("kettle", 1, Money(2500, "EUR")),),
            shipping_address=ShippingAddress("Kiel Canal 1"),
            payment_method=f"adyen:{token}",
        )
        return await self.core.place(request, key=None)

    async def hears(self, name: str, payment: PaymentTransaction, **but: Any) -> str:
        """What becomes of the event `name` about `payment`, whose reference it carries."""
        sign = "@" if payment.kind is TransactionKind.CHARGE else "~"
        told = {
            "merchantReference": f"{payment.id}{sign}{payment.installation}",
            "originalReference": payment.provider_reference,
            **but,
        }
        received = await self.core.receive_webhook("adyen", an_event(name, **told), {})
        return str(received.verdict)

    async def now(self, order: Order) -> Order:
        return await self.orders.get(order.id)


@pytest.fixture
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[AdyenShop]:
    shop = AdyenShop(getattr(request, "param", CaptureMode.IMMEDIATE))
    yield shop
    await shop.adyen.gateway.close()
    if specification() is not None:
        assert breaches(shop.adyen.bridge.exchanges) == []


holding = pytest.mark.parametrize("shop", [CaptureMode.ON_PROCESSING], indirect=True, ids=["held"])


def the(kind: TransactionKind, order: Order) -> PaymentTransaction:
    return next(t for t in order.transactions if t.kind is kind)


@holding
async def test_a_hold_captured_in_the_customer_area_is_booked(shop: AdyenShop) -> None:
    placed = await shop.place()

    await shop.hears("CAPTURE", placed.charge)
    order = await shop.now(placed)

    assert order.captured_minor_units == 2500
    assert the(TransactionKind.CAPTURE, order).review == "not_asked_for"


async def test_a_refund_in_the_customer_area_leaves_nothing_to_be_refunded_again(
    shop: AdyenShop,
) -> None:
    placed = await shop.place()

    await shop.hears("REFUND", placed.charge)
    order = await shop.now(placed)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (2500, 0)


@pytest.mark.parametrize(
    ("success", "ended"),
    [("true", TransactionStatus.SUCCEEDED), ("false", TransactionStatus.DECLINED)],
)
async def test_a_refund_of_ours_ends_also_if_its_event_has_the_payments_reference(
    shop: AdyenShop, success: str, ended: TransactionStatus
) -> None:
    placed = await shop.place()
    asked = the(TransactionKind.REFUND, await shop.core.refund(placed.id, by="staff"))

    await shop.hears(
        "REFUND", placed.charge, pspReference=asked.provider_reference, success=success
    )
    refunds = [t for t in (await shop.now(placed)).transactions if t.id == asked.id]

    assert [(t.status, t.origin) for t in refunds] == [(ended, Origin.OURS)]


@holding
@pytest.mark.parametrize(
    ("success", "ended"),
    [("true", TransactionStatus.SUCCEEDED), ("false", TransactionStatus.DECLINED)],
)
async def test_a_capture_of_ours_ends_also_if_its_event_has_the_payments_reference(
    shop: AdyenShop, success: str, ended: TransactionStatus
) -> None:
    placed = await shop.place()
    asked = the(TransactionKind.CAPTURE, await shop.core.process(placed.id, by="staff"))

    await shop.hears(
        "CAPTURE", placed.charge, pspReference=asked.provider_reference, success=success
    )
    order = await shop.now(placed)

    assert the(TransactionKind.CAPTURE, order).status is ended
    assert order.captured_minor_units == (2500 if success == "true" else 0)


@holding
async def test_a_capture_in_the_customer_area_is_not_taken_for_ours_that_is_under_way(
    shop: AdyenShop,
) -> None:
    placed = await shop.place()
    await shop.core.process(placed.id, by="staff")

    await shop.hears("CAPTURE", placed.charge, pspReference="BYHAND1")
    order = await shop.now(placed)

    assert order.captured_minor_units == 2500
    assert order.charge.status is TransactionStatus.SUCCEEDED


@holding
async def test_a_refused_capture_in_the_customer_area_changes_nothing(shop: AdyenShop) -> None:
    placed = await shop.place()

    assert await shop.hears("CAPTURE", placed.charge, success="false") == "no_news"
    assert await shop.now(placed) == placed


@holding
async def test_a_dispute_of_a_hold_that_names_no_payment_is_booked_on_the_capture(
    shop: AdyenShop,
) -> None:
    placed = await shop.place()
    await shop.hears("CAPTURE", placed.charge)

    heard = await shop.hears("CHARGEBACK", placed.charge, originalReference=None, pspReference="D1")
    order = await shop.now(placed)

    assert heard == "settled"
    capture, dispute = the(TransactionKind.CAPTURE, order), the(TransactionKind.REVERSAL, order)
    assert (dispute.parent_id, order.left_of(capture)) == (capture.id, 0)


async def test_an_order_whose_payment_needs_the_buyer_fails_and_keeps_no_money(
    shop: AdyenShop,
) -> None:
    placed = await shop.place("stored:REDIRECTS@ann")
    _, answer = shop.adyen.bridge.exchanges[-1]
    assert "pspReference" not in answer.json()

    # Nobody was shown the page; if it is paid nevertheless:
    await shop.hears("AUTHORISATION", placed.charge, originalReference=None, pspReference="PAID1")
    order = await shop.now(placed)

    assert placed.status is OrderStatus.PAYMENT_FAILED
    assert placed.charge.reason == "authentication_required"
    assert the(TransactionKind.REFUND, order).amount == placed.total


@holding
async def test_a_hold_that_expired_leaves_an_order_that_is_not_paid(shop: AdyenShop) -> None:
    placed = await shop.place()
    expired = {"originalReference": None, "pspReference": placed.charge.provider_reference}

    assert await shop.hears("EXPIRE", placed.charge, **expired) == "settled"
    order = await shop.now(placed)

    assert (order.charge.status, order.charge.reason) == (
        TransactionStatus.VOIDED,
        "authorization_expired",
    )


@holding
async def test_a_second_hold_that_expired_before_its_beginning_was_told_is_held_no_longer(
    shop: AdyenShop,
) -> None:
    placed = await shop.place()
    second = {"originalReference": None, "pspReference": "SECOND1"}
    assert await shop.hears("EXPIRE", placed.charge, **second) == "unknown_transaction"
    refused = {**second, "pspReference": "SECOND2", "success": "false"}
    assert await shop.hears("AUTHORISATION", placed.charge, **refused) == "no_news"
    await shop.hears("AUTHORISATION", placed.charge, **second)
    await shop.core.match()
    order = await shop.now(placed)

    assert [t.status for t in order.transactions] == [
        TransactionStatus.AUTHORIZED,
        TransactionStatus.VOIDED,
    ]
    assert order.payment_status is PaymentStatus.AUTHORIZED
    assert await shop.orders.unmatched_events(limit=9) == ()


async def cancelled_in_vain(shop: AdyenShop) -> Order:
    """An order whose hold has expired, untold: Adyen refuses each cancellation of it."""
    placed = await shop.place()
    order = await shop.core.cancel(placed.id, customer_id="ann")
    while order.transactions[-1].is_open:
        void = order.transactions[-1]
        refused = {
            "merchantReference": f"{void.id}!{void.installation}",
            "originalReference": order.charge.provider_reference,
            "pspReference": void.provider_reference,
            "success": "false",
        }
        await shop.hears("CANCELLATION", void, **refused)
        await shop.core.recover()
        order = await shop.now(placed)
    return order


async def decide(shop: AdyenShop, order: Order, decision: ReviewDecision) -> Order:
    void = next(t for t in order.transactions if t.review)
    return await shop.core.review(
        order.id, transaction_id=void.id, decision=decision, note="expired there", by="staff"
    )


@holding
async def test_a_hold_whose_end_was_never_told_is_ended_by_a_person(shop: AdyenShop) -> None:
    order = await cancelled_in_vain(shop)
    assert order.transactions[-1].review == "reversal_refused:void_refused"
    order = await decide(shop, order, ReviewDecision.HOLD_ENDED)
    sent = len(shop.adyen.bridge.exchanges)
    await shop.clock.sleep(30 * 24 * 3600)
    await shop.core.recover()
    late = {"originalReference": None, "pspReference": order.charge.provider_reference}
    await shop.hears("EXPIRE", order.charge, **late)
    order = await shop.now(order)

    assert (order.charge.status, order.charge.reason) == (
        TransactionStatus.VOIDED,
        "ended_by_review",
    )
    assert (order.payment_status, order.attend_at) == (PaymentStatus.UNPAID, None)
    assert len(shop.adyen.bridge.exchanges) == sent
    assert await shop.orders.unmatched_events(limit=9) == ()


@holding
async def test_a_hold_that_was_taken_although_a_person_said_that_it_ended_is_given_back(
    shop: AdyenShop,
) -> None:
    order = await decide(shop, await cancelled_in_vain(shop), ReviewDecision.HOLD_ENDED)
    await shop.hears("CAPTURE", order.charge)
    order = await shop.now(order)

    assert order.captured_minor_units == order.refund_asked_minor_units == 2500


@holding
async def test_an_order_is_not_left_to_a_hold_that_ends(shop: AdyenShop) -> None:
    placed = await shop.place()
    for _ in range(10):
        await shop.clock.sleep(12 * 3600)
        await shop.core.recover()

    assert (await shop.now(placed)).status is OrderStatus.CANCELLED
