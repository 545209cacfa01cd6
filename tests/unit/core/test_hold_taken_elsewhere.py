"""A hold that somebody took at the provider's dashboard, or before we heard of it."""

from datetime import timedelta
from typing import Any

import pytest

from order_core.immutable import replace
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Report, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.ports import ProviderFact
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import decide


def taken_by_hand(shop: Any, held: PaymentTransaction) -> Any:
    """What the provider says of the capture that somebody makes there, of the amount of `held`."""
    by_hand = replace(
        held,
        id="by-hand",
        kind=TransactionKind.CAPTURE,
        provider_reference=None,
        parent_reference=held.provider_reference,
    )
    return shop.gateway.ledger.carry_out(by_hand)


async def test_a_hold_that_was_taken_at_the_dashboard_goes_back_if_its_order_is_cancelled(
    holding: Any,
) -> None:
    placed = await holding.place()
    holding.gateway.react(reactions.LOSE_REQUEST)
    cancelled = await holding.core.cancel(placed.id, customer_id="ann")

    taken = Report(Succeeded("at-the-dashboard", placed.total, placed.charge.id))
    order = await holding.core.settle(cancelled, placed.charge.id, taken)

    assert order.captured_minor_units == order.refund_asked_minor_units == 2500
    assert not any(t.review for t in order.transactions)


async def test_a_hold_taken_at_the_dashboard_while_our_capture_is_lost_is_on_record(
    holding: Any,
) -> None:
    placed = await holding.place()
    holding.gateway.react(reactions.LOSE_REQUEST)
    await holding.core.process(placed.id, by="staff")
    taken_by_hand(holding, placed.charge)
    await holding.work_until(passed=timedelta(days=1))

    order = await holding.orders.get(placed.id)
    # Ours was refused, for it was taken already; nobody told us by whom, so we asked.
    assert order.captured_minor_units == 2500
    assert order.payment_status is PaymentStatus.IN_REVIEW


async def taken_by_hand_unheard(holding: Any) -> tuple[Any, Any]:
    """An order that does not know of its hold yet, which somebody captured already."""
    opened = await holding.place(payment_method="action_required")
    holding.gateway.approve(opened.charge.provider_reference)
    return opened, taken_by_hand(holding, opened.charge)


@pytest.mark.parametrize("told", ["before", "after", "never"])
async def test_a_hold_that_was_taken_before_we_heard_of_it_is_on_record_once(
    holding: Any, told: str
) -> None:
    opened, taken = await taken_by_hand_unheard(holding)
    hold = opened.charge.provider_reference
    fact = ProviderFact(TransactionKind.CAPTURE, taken, taken.reference, parent_reference=hold)
    take_in = holding.core.receive_webhook.take_in_event.take_in
    if told == "before":
        await take_in("scripted", fact)
    await holding.work_until(passed=timedelta(minutes=5))
    if told == "after":
        await take_in("scripted", fact)

    order = await holding.orders.get(opened.id)
    assert order.status is OrderStatus.PENDING
    assert order.captured_minor_units == 2500
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert order.charge.status is TransactionStatus.SUCCEEDED


async def test_a_hold_that_was_taken_before_we_heard_of_it_is_given_back_to_a_dead_order(
    holding: Any,
) -> None:
    opened, _ = await taken_by_hand_unheard(holding)
    await holding.core.cancel(opened.id, customer_id="ann")
    await holding.work_until(passed=timedelta(hours=1))

    order = await holding.orders.get(opened.id)
    assert order.captured_minor_units == order.refunded_minor_units == 2500
    assert order.attend_at is None


@pytest.mark.parametrize("decision", list(ReviewDecision)[:2])
async def test_a_hold_without_our_mark_that_was_taken_is_on_record_once(
    holding: Any, decision: ReviewDecision
) -> None:
    opened, taken = await taken_by_hand_unheard(holding)
    hold, unmarked = opened.charge.provider_reference, replace(taken, transaction_id="")
    fact = ProviderFact(TransactionKind.CAPTURE, unmarked, taken.reference, parent_reference=hold)
    await holding.core.receive_webhook.take_in_event.take_in("scripted", fact)
    order = await holding.orders.get(opened.id)
    asked_at = opened.charge.absence_is_proof_from(holding.policy.clock_skew)
    holding.clock.set(asked_at)
    order = await holding.core.settle(order, order.charge.id, Report(unmarked, asked_at))
    order = await decide(holding, order, order.charge, decision)
    if decision is ReviewDecision.ACCEPT:
        order = await decide(holding, order, order.transactions[1], decision)

    accepted = decision is ReviewDecision.ACCEPT
    assert order.status is (OrderStatus.PENDING if accepted else OrderStatus.PAYMENT_FAILED)
    assert order.captured_minor_units == 2500
    assert order.refund_asked_minor_units == (0 if accepted else 2500)


async def part_taken_by_hand_unheard(holding: Any) -> Any:
    """An order whose hold is heard of when somebody has captured a part of it."""
    opened = await holding.place(payment_method="action_required")
    reference = opened.charge.provider_reference
    holding.gateway.approve(reference)
    taken_by_hand(holding, replace(opened.charge, amount=Money(1000, "EUR")))
    await holding.work_until(passed=timedelta(minutes=5))
    order = await holding.orders.get(opened.id)
    assert (order.status, order.captured_minor_units) == (OrderStatus.AWAITING_PAYMENT, 1000)
    assert order.charge.provider_reference == reference
    return order


@pytest.mark.parametrize("decision", list(ReviewDecision)[:2])
async def test_a_part_that_was_taken_before_we_heard_of_its_hold_is_decided_about(
    holding: Any, decision: ReviewDecision
) -> None:
    order = await part_taken_by_hand_unheard(holding)
    await decide(holding, order, order.charge, decision)
    order = await decide(holding, order, order.transactions[1], ReviewDecision.ACCEPT)
    await holding.work_until(passed=timedelta(days=9))

    order = await holding.orders.get(order.id)
    kept = order.captured_minor_units - order.refunded_minor_units
    accepted = decision is ReviewDecision.ACCEPT
    assert order.status is (OrderStatus.PENDING if accepted else OrderStatus.PAYMENT_FAILED)
    assert kept == (1000 if accepted else 0)
    assert order.payment_status is not PaymentStatus.IN_REVIEW
    assert order.attend_at is None


async def test_a_part_that_was_taken_before_we_heard_of_its_hold_goes_back_with_its_order(
    holding: Any,
) -> None:
    order = await part_taken_by_hand_unheard(holding)
    await holding.core.cancel(order.id, customer_id="ann")
    await holding.work_until(passed=timedelta(days=1))

    order = await holding.orders.get(order.id)
    assert order.captured_minor_units == order.refunded_minor_units == 1000
