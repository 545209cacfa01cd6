"""Cancelling an order, with every port in memory."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import (
    CannotCancel,
    IdempotencyKeyReused,
    NotTheOwner,
    OrderNotFound,
    ProviderUnavailable,
)
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import GatewayProfile
from order_memory import ScriptedGateway, reactions


async def test_a_paid_order_is_cancelled_and_refunded_in_full(shop: Any) -> None:
    placed = await shop.place()
    cancelled = await shop.core.cancel(placed.id, customer_id="ann")

    assert cancelled.status is OrderStatus.CANCELLED
    assert cancelled.payment_status is PaymentStatus.REFUNDED
    assert shop.net_minor_units_at_the_provider() == 0


async def test_cancelling_again_changes_nothing(shop: Any) -> None:
    placed = await shop.place()
    await shop.core.cancel(placed.id, customer_id="ann")
    asked = len(shop.gateway.asked)
    again = await shop.core.cancel(placed.id, customer_id="ann")

    assert again.status is OrderStatus.CANCELLED
    assert len(shop.gateway.asked) == asked


async def test_a_cancelled_order_stays_cancelled_while_its_refund_is_unknown(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_ANSWER)
    cancelled = await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until()

    assert cancelled.payment_status is PaymentStatus.PAID
    refunds = [
        entry.amount
        for entry in shop.gateway.ledger.entries
        if entry.transaction.kind is TransactionKind.REFUND
    ]
    assert refunds == [Money(2500, "EUR")]
    shop.assert_order_and_money_agree()


@pytest.mark.parametrize(
    "status",
    [
        OrderStatus.PROCESSING,
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
        OrderStatus.PAYMENT_FAILED,
    ],
)
async def test_past_the_point_of_no_return_no_money_is_asked_for(
    shop: Any, status: OrderStatus
) -> None:
    placed = await shop.place()
    await shop.orders.save(replace(placed, status=status))

    with pytest.raises(CannotCancel) as refusal:
        await shop.core.cancel(placed.id, customer_id="ann")
    assert refusal.value.reason in {f"already_{status}", "payment_failed"}
    assert len(shop.gateway.asked) == 1


async def test_only_the_owner_cancels(shop: Any) -> None:
    placed = await shop.place()

    with pytest.raises(NotTheOwner):
        await shop.core.cancel(placed.id, customer_id="mallory")
    with pytest.raises(OrderNotFound):
        await shop.core.cancel("nowhere", customer_id="ann")


async def test_an_open_charge_that_took_the_money_is_given_back_after_the_cancel(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    cancelled = await shop.core.cancel(opened.id, customer_id="ann")
    await shop.work_until()
    at_rest = await shop.orders.get(opened.id)

    assert cancelled.status is OrderStatus.CANCELLED
    assert at_rest.payment_status is PaymentStatus.REFUNDED
    assert shop.net_minor_units_at_the_provider() == 0
    shop.assert_order_and_money_agree()


async def test_an_open_charge_that_never_arrived_is_not_sent_after_the_cancel(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    await shop.core.cancel(opened.id, customer_id="ann")
    await shop.work_until()

    assert len(shop.gateway.asked) == 1
    assert (await shop.orders.get(opened.id)).charge.status is TransactionStatus.FAILED
    shop.assert_order_and_money_agree()


async def test_a_payment_that_the_buyer_has_not_approved_is_voided(shop: Any) -> None:
    opened = await shop.place(payment_method="action_required")
    cancelled = await shop.core.cancel(opened.id, customer_id="ann")

    assert cancelled.charge.status is TransactionStatus.VOIDED
    assert not shop.gateway.approve(opened.charge.provider_reference)


async def test_a_payment_that_the_buyer_approved_just_before_the_cancel_goes_back(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="action_required")
    shop.gateway.approve(opened.charge.provider_reference)
    await shop.core.cancel(opened.id, customer_id="ann")
    await shop.work_until()

    assert (await shop.orders.get(opened.id)).payment_status is PaymentStatus.REFUNDED
    shop.assert_order_and_money_agree()


async def test_a_refused_refund_is_asked_again_under_a_new_key_and_then_reviewed(
    shop: Any,
) -> None:
    placed = await shop.place()
    shop.gateway.react(*[reactions.decline("processor_down", retryable=True)] * 3)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until()
    order = await shop.orders.get(placed.id)
    refunds = [t for t in order.transactions if t.kind is TransactionKind.REFUND]

    assert len({refund.key for refund in refunds}) == 3
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert order.attend_at is None


async def test_the_refund_is_stored_as_being_sent_before_it_is_sent(shop: Any) -> None:
    stored = []

    class Watching(type(shop.gateway)):  # type: ignore[misc] # Only `send` is watched.
        async def send(self, transaction: Any, /) -> Any:
            order = await shop.orders.get(transaction.order_id)
            stored.append((order.status, order.transaction(transaction.id).sends))
            return await super().send(transaction)

    shop.gateway = Watching(shop.clock)
    shop.core = shop.assembled()
    placed = await shop.place()
    await shop.core.cancel(placed.id, customer_id="ann")

    assert stored == [(OrderStatus.AWAITING_PAYMENT, 1), (OrderStatus.CANCELLED, 1)]


async def test_a_refund_refused_once_succeeds_the_second_time(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.decline("processor_down", retryable=True))
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until()

    assert (await shop.orders.get(placed.id)).payment_status is PaymentStatus.REFUNDED
    shop.assert_order_and_money_agree()


async def test_a_key_that_cancelled_one_order_does_not_cancel_another(shop: Any) -> None:
    first = await shop.place()
    shop.clock.advance(timedelta(minutes=1))
    second = await shop.place()
    await shop.core.cancel(first.id, customer_id="ann", key="c-1")
    again = await shop.core.cancel(first.id, customer_id="ann", key="c-1")

    assert again.status is OrderStatus.CANCELLED
    with pytest.raises(IdempotencyKeyReused):
        await shop.core.cancel(second.id, customer_id="ann", key="c-1")
    assert (await shop.orders.get(second.id)).status is OrderStatus.PENDING


async def test_an_order_whose_provider_is_switched_off_stays_as_it_is(shop: Any) -> None:
    placed = await shop.place()
    other = ScriptedGateway(shop.clock, profile=GatewayProfile("other", "test"))
    shop.core = shop.assembled(gateways={"other": other}, default_provider="other")

    with pytest.raises(ProviderUnavailable):
        await shop.core.cancel(placed.id, customer_id="ann")
    assert (await shop.orders.get(placed.id)).status is OrderStatus.PENDING


async def test_the_cancelled_order_says_what_may_still_be_done(shop: Any) -> None:
    placed = await shop.place()
    cancelled = await shop.core.cancel(placed.id, customer_id="ann")

    assert placed.cancel_refusal is None
    assert cancelled.cancel_refusal == ("already_cancelled", "it is cancelled already")
