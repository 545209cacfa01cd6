"""An order that the shop's page made at PayPal, and may have captured by itself."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from order_core import OrderItem, OrderRequest, ShippingAddress
from order_core.assembly import assemble
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Continue,
    Declined,
    NotFound,
    OutcomeUnknown,
    Succeeded,
)
from order_core.payment import TransactionKind
from order_core.reviewing import ReviewDecision
from order_memory import (
    InMemoryOrders,
    InMemoryOutbox,
    InMemoryWorkQueue,
    ManualClock,
    RecordingNotifier,
    SequentialIds,
    TrustedPrices,
)
from order_paypal import ApiAnswer, PayPalGateway
from tests.integration.paypal_payments import a_charge, an_order, begun
from tests.integration.paypal_scripted import a_scripted_gateway, capture_of
from tests.integration.paypal_wire import PayPalWire

pytest_plugins = ["tests.integration.paypal_desk"]


async def test_an_approved_order_is_marked_and_then_captured(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    order = an_order(wire)
    charge = a_charge(f"order:{order.id}")

    step = await begun(gateway, charge)
    assert wire.emulator.ledger() == []
    outcome = await gateway.send(step)

    assert isinstance(outcome, Succeeded)
    assert (outcome.amount, outcome.transaction_id) == (charge.amount, charge.id)
    assert order.custom_id == f"{charge.id},default"
    assert wire.asked("POST", "/capture")[0].body == b"{}"


async def test_an_order_that_is_marked_already_is_not_marked_again(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge = a_charge(f"order:{an_order(wire).id}")
    await gateway.send(charge)

    assert isinstance(await gateway.send(charge), Continue)
    assert len(wire.asked("PATCH")) == 1


@pytest.mark.parametrize(
    ("but", "reason"),
    [
        ({"value": Decimal("24.99")}, "order_has_another_amount"),
        ({"currency": "USD"}, "order_has_another_currency"),
        ({"intent": "AUTHORIZE"}, "order_has_another_intent"),
        ({"custom_id": "somebody-else,default"}, "order_belongs_to_another_payment"),
        ({"status": "VOIDED"}, "order_voided"),
        ({"reference_id": "it's"}, "bad_reference"),
    ],
)
async def test_an_order_that_is_not_the_one_is_refused_and_never_captured(
    wire: PayPalWire, gateway: PayPalGateway, but: dict[str, Any], reason: str
) -> None:
    order = an_order(wire, **but)

    outcome = await gateway.send(a_charge(f"order:{order.id}"))

    assert outcome == Declined(reason)
    assert wire.asked("PATCH") == wire.asked("POST") == []


async def test_an_order_that_does_not_exist_is_refused(gateway: PayPalGateway) -> None:
    assert await gateway.send(a_charge("order:NONE")) == Declined("no_such_order")


async def test_an_order_that_was_captured_already_decides_nothing(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge = a_charge(f"order:{an_order(wire).id}")
    await gateway.send(await begun(gateway, charge))

    assert await gateway.send(charge) == OutcomeUnknown("order_already_completed")


def completed_by_the_page(wire: PayPalWire, **but: Any) -> Any:
    """An order that the page captured by itself, as the samples of PayPal's script do."""
    order = an_order(wire, **but)
    wire.emulator.books.complete(order, order.intent, None)
    return order


@pytest.mark.parametrize("mark", ["", "somebody-else,default", "cart 7"])
@pytest.mark.parametrize("value", ["25.00", "24.00"])
@pytest.mark.parametrize("kind", [TransactionKind.CHARGE, TransactionKind.AUTHORIZATION])
async def test_an_order_that_the_page_captured_is_neither_declined_nor_absent(
    wire: PayPalWire, gateway: PayPalGateway, mark: str, value: str, kind: TransactionKind
) -> None:
    order = completed_by_the_page(wire, custom_id=mark, value=Decimal(value))
    charge = a_charge(f"order:{order.id}", kind=kind)

    sent = await gateway.send(charge)
    found = await gateway.look_up(charge)

    assert sent == OutcomeUnknown("order_already_completed")
    assert isinstance(found, Succeeded)
    assert found.amount == Money.parse(value, "EUR")
    assert found.transaction_id == mark.partition(",")[0]
    assert wire.asked("PATCH") == []


async def test_an_order_that_the_page_authorized_is_seen_to_be_held(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    order = completed_by_the_page(wire, intent="AUTHORIZE")

    found = await gateway.look_up(a_charge(f"order:{order.id}"))

    assert isinstance(found, Authorized)
    assert found.transaction_id == ""


async def test_an_order_that_the_page_captured_while_it_was_marked_is_ours(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    charge = a_charge("order:NONE")
    order = completed_by_the_page(wire, custom_id=f"{charge.id},default")

    found = await gateway.look_up(replace(charge, token=f"order:{order.id}"))

    assert isinstance(found, Succeeded)
    assert found.transaction_id == charge.id


@pytest.mark.parametrize("status", ["CREATED", "APPROVED", "VOIDED"])
async def test_an_order_that_nobody_completed_shows_no_payment(
    wire: PayPalWire, gateway: PayPalGateway, status: str
) -> None:
    order = an_order(wire, status=status)

    assert await gateway.look_up(a_charge(f"order:{order.id}")) == NotFound()


@pytest.mark.parametrize("token", ["order:NONE", "vault:paypal:ok", None])
async def test_a_charge_without_an_order_shows_no_payment(
    gateway: PayPalGateway, token: str | None
) -> None:
    assert await gateway.look_up(replace(a_charge(), token=token)) == NotFound()


async def test_a_try_of_the_page_that_was_refused_is_no_payment() -> None:
    shown = ApiAnswer(200, capture_of("DECLINED").body)
    gateway = a_scripted_gateway(shown)

    assert await gateway.look_up(a_charge("order:5O190127TN364715T")) == NotFound()
    await gateway.close()


async def test_a_buyer_who_paid_at_the_page_waits_for_a_person_and_is_not_told_that_he_failed(
    wire: PayPalWire,
) -> None:
    clock = ManualClock()
    gateway = wire.gateway(now=clock.now)
    orders = InMemoryOrders(clock)
    core = assemble(
        orders=orders,
        work=InMemoryWorkQueue(orders),
        outbox=InMemoryOutbox(orders),
        gateways={"paypal": gateway},
        default_provider="paypal",
        prices=TrustedPrices(),
        notifier=RecordingNotifier(),
        clock=clock,
        ids=SequentialIds(),
    )
    request = OrderRequest(
        customer_id="ann",
        items=(OrderItem("mug", 2, Money(1250, "EUR")),),
        shipping_address=ShippingAddress("1 Quay Street, Galway"),
        payment_method=f"paypal:order:{completed_by_the_page(wire).id}",
    )
    opened = await core.place(request)
    for _ in range(15):
        clock.advance(timedelta(minutes=5))
        await core.recover()
    doubtful = await orders.get(opened.id)

    accepted = await core.review(
        opened.id,
        transaction_id=doubtful.charge.id,
        decision=ReviewDecision.ACCEPT,
        note="the page took it",
        by="staff",
    )
    cancelled = await core.cancel(opened.id, customer_id="ann")
    await gateway.close()

    assert doubtful.status is OrderStatus.AWAITING_PAYMENT
    assert doubtful.charge.review == "names_another_transaction"
    assert doubtful.attend_at is None
    assert accepted.status is OrderStatus.PENDING
    assert cancelled.payment_status is PaymentStatus.REFUNDED


async def test_an_order_that_nobody_approved_asks_its_buyer(
    wire: PayPalWire, gateway: PayPalGateway
) -> None:
    order = an_order(wire, status="CREATED")

    outcome = await gateway.send(a_charge(f"order:{order.id}"))

    assert isinstance(outcome, ActionRequired)
    assert outcome.url == f"{wire.url}/checkoutnow?token={order.id}"
