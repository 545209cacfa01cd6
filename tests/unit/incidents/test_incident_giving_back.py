"""Cancels and refunds: too much, twice, for the wrong order, or not at all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.assembly import OrderCore
from order_core.errors import (
    CannotRefund,
    InvalidValue,
    OrderCoreError,
    PaymentMethodInUse,
    StoreUnavailable,
)
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Succeeded
from order_core.payment import TransactionKind
from order_core.payment_terms import CaptureMode
from order_core.ports import OrderQuery, ProviderFact
from order_core.reviewing import ReviewDecision
from order_memory import Standing
from tests.unit.incidents.meanwhile import Meanwhile, answer_of, at_every_call
from tests.unit.incidents.shop import CUSTOMER, Shop, a_request, fact_of

_GIVES_BACK = {TransactionKind.REFUND, TransactionKind.VOID}


async def a_placed_order() -> Shop:
    shop = Shop()
    await shop.place()
    return shop


async def the_order(core: OrderCore) -> Order:
    (order,) = (await core.list(OrderQuery(CUSTOMER))).orders
    return order


def refunding(minor_units: int, by: str) -> Any:
    async def refund(core: OrderCore) -> Order:
        order = await the_order(core)
        return await core.refund(order.id, by=by, amount=Money(minor_units, "EUR"))

    return refund


# juspay/hyperswitch #13182
async def test_incident_45_two_refunds_at_once_never_exceed_what_was_taken() -> None:
    grace, bob = refunding(1500, "grace"), refunding(1500, "bob")
    async for shop, *answers in at_every_call(a_placed_order, grace, bob):
        await shop.work_until()
        assert sorted(type(answer).__name__ for answer in answers) == ["InvalidValue", "Order"]
        assert shop.refunds == [1500]
        assert (await shop.order()).refund_asked_minor_units == 1500


# juspay/hyperswitch PR #11491
def test_incident_45_an_amount_below_nothing_is_no_money() -> None:
    with pytest.raises(InvalidValue):
        Money(-500, "EUR")


# medusajs/medusa PR #15527
async def test_incident_46_a_run_that_failed_undoes_nothing_of_the_run_that_succeeded() -> None:
    async def fails() -> None:
        raise StoreUnavailable

    for call in range(1, 20):
        shop = Shop()
        meanwhile = Meanwhile(fails, number=call)
        failed = await answer_of(meanwhile.core_of(shop).place(a_request(), key="cart-46"))
        if not meanwhile.happened:
            assert call > 3
            return
        await answer_of(shop.place(key="cart-46"))
        await shop.work_until()
        assert isinstance(failed, Order | OrderCoreError)
        assert (await shop.order()).payment_status is PaymentStatus.PAID
        assert _GIVES_BACK.isdisjoint(asked.kind for asked in shop.gateway.asked)
    raise AssertionError("it never came to an end")


# medusajs/medusa PR #15527, with a payment that both runs claim
async def test_incident_46_the_refusal_of_a_second_order_leaves_the_firsts_payment_alone(
    shop: Shop,
) -> None:
    await shop.place(payment_method="once_5O190127TN364715T", key="run-1")
    with pytest.raises(PaymentMethodInUse):
        await shop.place(payment_method="once_5O190127TN364715T", key="run-2", allow_duplicate=True)
    await shop.work_until()

    assert (await shop.order()).payment_status is PaymentStatus.PAID
    assert _GIVES_BACK.isdisjoint(asked.kind for asked in shop.gateway.asked)


# solidusio/solidus #2104 and #1066, solidusio/solidus_paypal_commerce_platform #120
@pytest.mark.parametrize(
    ("capture", "token", "part", "sent"),
    [
        (CaptureMode.IMMEDIATE, "action_required", 0, ["void"]),
        (CaptureMode.ON_PROCESSING, "ok", 0, ["void"]),
        (CaptureMode.IMMEDIATE, "ok", 0, ["refund"]),
        (CaptureMode.IMMEDIATE, "ok", 900, ["refund", "refund"]),
    ],
)
async def test_incident_47_an_order_is_cancelled_by_what_its_payment_needs(
    make_shop: Callable[..., Shop], capture: CaptureMode, token: str, part: int, sent: list[str]
) -> None:
    shop = make_shop(capture=capture)
    placed = await shop.place(payment_method=token)
    if part:
        await shop.core.refund(placed.id, by="staff", amount=Money(part, "EUR"))
    order = await shop.core.cancel(placed.id, customer_id=CUSTOMER)
    await shop.work_until()

    assert order.status is OrderStatus.CANCELLED
    assert [asked.kind for asked in shop.gateway.asked[1:]] == sent
    shop.assert_order_and_money_agree()


# woocommerce/woocommerce-gateway-stripe #838
async def test_incident_48_our_refund_and_its_own_event_are_one_refund() -> None:
    shops: list[Shop] = []

    async def begin() -> Shop:
        shops.append(await a_placed_order())
        return shops[-1]

    async def hear_everything(core: OrderCore) -> None:
        await shops[-1].hear_everything(core)

    async for shop, *_ in at_every_call(begin, refunding(1000, "grace"), hear_everything):
        await shop.hear_everything()
        await shop.work_until()
        order = await shop.order()
        assert order.refunded_minor_units == 1000
        assert [t.kind for t in order.transactions] == ["charge", "refund"]
        assert shop.refunds == [1000]


# pretix/pretix #343
async def test_incident_49_giving_a_second_debit_back_leaves_the_order_paid(shop: Shop) -> None:
    placed = await shop.place()
    (paid,) = shop.gateway.ledger.entries
    shop.gateway.ledger.write(paid.transaction, Standing.SUCCEEDED)
    await shop.hear(fact_of(shop.gateway.ledger.entries[-1]))
    doubtful = await shop.order()
    await shop.core.review(
        placed.id,
        transaction_id=doubtful.transactions[-1].id,
        decision=ReviewDecision.REFUND,
        note="charged twice by accident",
        by="staff",
    )
    await shop.work_until()
    order = await shop.order()

    assert doubtful.payment_status is PaymentStatus.IN_REVIEW
    assert order.status is OrderStatus.PENDING
    assert (order.captured_minor_units, order.refunded_minor_units) == (5000, 2500)
    shop.assert_order_and_money_agree()


# polarsource/polar PR #9630
async def test_incident_50_a_refund_told_before_its_payment_is_booked_when_it_is_known(
    shop: Shop,
) -> None:
    await shop.place(payment_method="lost_answer")
    back = Succeeded("re-fast", Money(2500, "EUR"), "")
    refund = ProviderFact(TransactionKind.REFUND, back, "re-fast", parent_reference="ref-000001")
    received = await shop.hear(refund)
    waiting = await shop.core.waiting()
    await shop.work_until(passed=timedelta(hours=1))
    order = await shop.order()

    assert received.verdict == "unknown_transaction"
    assert [event.event_id for event in waiting.events] == [received.event_id]
    assert order.payment_status is PaymentStatus.REFUNDED
    assert (order.captured_minor_units, order.refunded_minor_units) == (2500, 2500)
    assert (await shop.core.waiting()).events == ()


# jazzband/django-payments #469 and #401
async def test_incident_50_a_refund_moves_money_as_soon_as_the_payment_is_known(
    shop: Shop,
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    with pytest.raises(CannotRefund):
        await shop.core.refund(opened.id, by="staff")
    await shop.work_until(passed=timedelta(minutes=2))
    order = await shop.core.refund(opened.id, by="staff")

    assert order.captured_minor_units == 2500
    assert order.payment_status is PaymentStatus.REFUNDED
    assert shop.refunds == [2500]
