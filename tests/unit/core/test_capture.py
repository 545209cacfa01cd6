"""Hold the money now, take it when the order begins to be processed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotCancel, CannotProcess
from order_core.events import CaptureRecorded
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, Report, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureLate, CaptureMode
from order_memory import Standing, reactions


def taken(shop: Any) -> int:
    """Minor units that went from the buyer to the shop."""
    return sum(
        entry.amount.minor_units
        for entry in shop.gateway.ledger.entries
        if entry.transaction.kind is TransactionKind.CAPTURE
        and entry.standing is Standing.SUCCEEDED
    )


async def test_the_order_is_placed_with_its_money_held_and_not_taken(holding: Any) -> None:
    order = await holding.place()

    assert order.status is OrderStatus.PENDING
    assert order.payment_status is PaymentStatus.AUTHORIZED
    assert taken(holding) == 0


async def test_processing_takes_the_money_first(holding: Any) -> None:
    placed = await holding.place()
    order = await holding.core.process(placed.id, by="staff")

    assert order.status is OrderStatus.PROCESSING
    assert order.payment_status is PaymentStatus.PAID
    assert taken(holding) == 2500
    assert order.attend_at is None


async def test_processing_again_changes_nothing(holding: Any) -> None:
    placed = await holding.place()
    await holding.core.process(placed.id, by="staff")
    await holding.core.process(placed.id, by="staff")

    assert taken(holding) == 2500


async def test_a_capture_whose_answer_is_lost_is_found_and_nobody_cancels_meanwhile(
    holding: Any,
) -> None:
    placed = await holding.place()
    holding.gateway.react(reactions.LOSE_ANSWER)
    waiting = await holding.core.process(placed.id, by="staff")
    with pytest.raises(CannotCancel) as refusal:
        await holding.core.cancel(placed.id, customer_id="ann")
    await holding.work_until(passed=timedelta(minutes=2))
    order = await holding.orders.get(placed.id)

    assert waiting.status is OrderStatus.PENDING
    assert refusal.value.reason == "capture_in_progress"
    assert order.status is OrderStatus.PROCESSING
    assert taken(holding) == 2500


async def test_a_declined_capture_leaves_the_order_pending_and_cancellable(holding: Any) -> None:
    placed = await holding.place()
    holding.gateway.react(reactions.decline("authorization_expired"))
    refused = await holding.core.process(placed.id, by="staff")
    cancelled = await holding.core.cancel(placed.id, customer_id="ann")
    await holding.work_until()

    assert refused.status is OrderStatus.PENDING
    assert cancelled.status is OrderStatus.CANCELLED
    assert taken(holding) == 0


async def test_cancelling_gives_up_the_hold(holding: Any) -> None:
    placed = await holding.place()
    cancelled = await holding.core.cancel(placed.id, customer_id="ann")

    assert cancelled.charge.status is TransactionStatus.VOIDED
    assert [asked.kind for asked in holding.gateway.asked] == [
        TransactionKind.AUTHORIZATION,
        TransactionKind.VOID,
    ]


async def test_a_hold_that_the_provider_ended_leaves_the_order_unpaid(holding: Any) -> None:
    placed = await holding.place()
    ended = await holding.core.settle(placed, placed.charge.id, Report(Declined("expired")))

    assert ended.payment_status is PaymentStatus.UNPAID
    assert ended.cancel_refusal is None
    with pytest.raises(CannotProcess) as refusal:
        await holding.core.process(placed.id, by="staff")
    assert refusal.value.reason == "unpaid"


async def test_before_the_hold_ends_the_order_is_cancelled_and_the_customer_told(
    holding: Any,
) -> None:
    placed = await holding.place()
    await holding.work_until(passed=timedelta(days=5, hours=23))
    still = await holding.orders.get(placed.id)
    await holding.work_until(passed=timedelta(hours=2))
    order = await holding.orders.get(placed.id)

    assert still.status is OrderStatus.PENDING
    assert order.status is OrderStatus.CANCELLED
    assert order.charge.status is TransactionStatus.VOIDED
    assert "order_cancelled" in [n.happened.event.name for n in holding.notifier.told]


async def test_before_the_hold_ends_the_money_is_taken_if_the_shop_says_so(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=CaptureLate.CAPTURE)
    placed = await shop.place()
    await shop.work_until(passed=timedelta(days=6, hours=1))
    order = await shop.orders.get(placed.id)
    processing = await shop.core.process(placed.id, by="staff")

    assert (order.status, order.payment_status) == (OrderStatus.PENDING, PaymentStatus.PAID)
    assert processing.status is OrderStatus.PROCESSING
    assert taken(shop) == 2500


async def test_who_wants_what_is_being_taken_already_is_on_record_too(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=CaptureLate.CAPTURE)
    placed = await shop.place()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 50)
    shop.clock.set(placed.charge.capture_before - timedelta(hours=20))
    await shop.core.recover()
    await shop.core.process(placed.id, by="grace")
    shop.gateway.forget_reactions()
    await shop.work_until(passed=timedelta(hours=2))

    history = await shop.core.history(placed.id, customer_id=None)
    recorded = [entry.event for entry in history if isinstance(entry.event, CaptureRecorded)]
    assert [event.by for event in recorded] == [None, "grace"]
    assert len({event.transaction_id for event in recorded}) == 1
    order = await shop.orders.get(placed.id)
    assert (order.status, order.captured_minor_units) == (OrderStatus.PROCESSING, 2500)


async def test_a_captured_order_is_refunded_when_it_is_given_back(holding: Any) -> None:
    placed = await holding.place()
    await holding.core.process(placed.id, by="staff")
    order = await holding.core.refund(placed.id, by="staff")

    assert order.payment_status is PaymentStatus.REFUNDED


async def test_an_order_paid_at_once_begins_without_another_call(shop: Any) -> None:
    placed = await shop.place()
    order = await shop.core.process(placed.id, by="staff")

    assert order.status is OrderStatus.PROCESSING
    assert len(shop.gateway.asked) == 1


@pytest.mark.parametrize("token", ["declined", "lost_answer"])
async def test_an_unpaid_order_is_not_processed(shop: Any, token: str) -> None:
    order = await shop.place(payment_method=token)

    with pytest.raises(CannotProcess):
        await shop.core.process(order.id, by="staff")


async def test_a_hold_that_was_captured_at_the_dashboard_is_seen_and_not_voided(
    holding: Any,
) -> None:
    placed = await holding.place()
    reference = placed.charge.provider_reference
    taken_there = Report(Succeeded(reference, placed.total, placed.charge.id))
    seen = await holding.core.settle(placed, placed.charge.id, taken_there)
    again = await holding.core.settle(seen, placed.charge.id, taken_there)

    assert seen.captured_minor_units == again.captured_minor_units == 2500
    assert seen.payment_status is PaymentStatus.IN_REVIEW
    assert seen.charge.attend_at is None


async def test_the_end_of_a_hold_is_learnt_after_the_hold(holding: Any) -> None:
    holding.gateway.react(reactions.LOSE_ANSWER)
    opened = await holding.place()
    undated = Report(Authorized("ref-000001", opened.total, opened.charge.id))
    placed = await holding.core.settle(opened, opened.charge.id, undated)
    await holding.work_until(passed=timedelta(minutes=5))
    order = await holding.orders.get(placed.id)

    assert placed.charge.capture_before is None
    assert order.charge.capture_before is not None
    assert order.charge.attend_at == order.charge.capture_before - timedelta(hours=24)


async def test_late_captures_that_are_refused_end_in_a_cancel(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=CaptureLate.CAPTURE)
    placed = await shop.place()
    shop.clock.advance(timedelta(days=6, minutes=1))
    shop.gateway.react(*[reactions.decline("insufficient_funds")] * 3)
    await shop.work_until(passed=timedelta(hours=20))

    captures = [a for a in shop.gateway.asked if a.kind is TransactionKind.CAPTURE]
    assert len(captures) == 3
    assert (await shop.orders.get(placed.id)).status is OrderStatus.CANCELLED


async def test_a_hold_is_not_asked_about_all_week_because_a_capture_was_refused(
    holding: Any,
) -> None:
    placed = await holding.place()
    holding.gateway.react(reactions.decline())
    await holding.core.process(placed.id, by="staff")
    await holding.work_until(passed=timedelta(days=5))
    assert len(holding.gateway.looked_up) < 10
    order = await holding.orders.get(placed.id)
    assert order.status is OrderStatus.PENDING
    await holding.work_until(passed=timedelta(days=3))
    assert (await holding.orders.get(placed.id)).status is OrderStatus.CANCELLED
    assert holding.net_minor_units_at_the_provider() == 0


async def test_a_refused_void_is_tried_again_however_often_the_hold_was_asked_about(
    holding: Any,
) -> None:
    holding.gateway.react(reactions.LOSE_ANSWER)
    opened = await holding.place()
    undated = Report(Authorized("ref-000001", opened.total, opened.charge.id))
    await holding.core.settle(opened, opened.charge.id, undated)
    holding.gateway.fail_look_ups(6)
    await holding.work_until(passed=timedelta(hours=3))
    asked_about = await holding.orders.get(opened.id)
    holding.gateway.react(*[reactions.decline("try_later", retryable=True)] * 2)
    await holding.core.cancel(opened.id, customer_id="ann")
    await holding.work_until(passed=timedelta(hours=3))
    order = await holding.orders.get(opened.id)

    assert asked_about.attend_at is None
    assert order.charge.status is TransactionStatus.VOIDED
    assert order.attend_at is None


async def test_a_void_that_is_refused_for_good_is_not_tried_for_ever(holding: Any) -> None:
    holding.gateway.react(reactions.LOSE_ANSWER)
    opened = await holding.place()
    undated = Report(Authorized("ref-000001", opened.total, opened.charge.id))
    await holding.core.settle(opened, opened.charge.id, undated)
    holding.gateway.fail_look_ups(6)
    await holding.work_until(passed=timedelta(hours=3))
    holding.gateway.react(*[reactions.decline("not_possible")] * 100)
    await holding.core.cancel(opened.id, customer_id="ann")
    await holding.work_until(passed=timedelta(days=3))

    voids = [a for a in holding.gateway.asked if a.kind is TransactionKind.VOID]
    assert len(voids) == 3
    assert (await holding.orders.get(opened.id)).payment_status is PaymentStatus.IN_REVIEW


async def test_a_void_that_a_person_decides_about_is_not_tried_again_as_the_hold_ends(
    holding: Any,
) -> None:
    placed = await holding.place()
    holding.gateway.react(*[reactions.decline("not_possible")] * 200)
    await holding.core.cancel(placed.id, customer_id="ann")
    await holding.work_until(passed=timedelta(hours=3))
    holding.clock.set(placed.charge.capture_before - timedelta(hours=25))
    looked = len(holding.gateway.looked_up)
    await holding.work_until(passed=timedelta(hours=24))

    voids = [a for a in holding.gateway.asked if a.kind is TransactionKind.VOID]
    assert len(voids) == 3
    assert len(holding.gateway.looked_up) - looked < 5
    # Whether it has ended by itself is still to be found out.
    assert (await holding.orders.get(placed.id)).attend_at >= placed.charge.capture_before


async def test_a_hold_that_ended_before_its_capture_was_refused_is_not_asked_about_for_ever(
    holding: Any,
) -> None:
    placed = await holding.place()
    holding.gateway.react(reactions.LOSE_REQUEST)
    waiting = await holding.core.process(placed.id, by="staff")
    holding.gateway.ledger.end(
        placed.charge.provider_reference, Standing.VOIDED, reason="voided_by_hand"
    )
    await holding.core.settle(waiting, placed.charge.id, Report(Declined("voided")))
    await holding.work_until(passed=timedelta(days=1))

    order = await holding.orders.get(placed.id)
    assert order.charge.status is TransactionStatus.VOIDED
    assert order.transactions[1].status is TransactionStatus.DECLINED
    assert order.attend_at is None


async def test_a_capture_that_succeeds_after_its_no_leaves_no_hold(holding: Any) -> None:
    placed = await holding.place()
    holding.gateway.react(reactions.LOSE_REQUEST)
    waiting = await holding.core.process(placed.id, by="staff")
    capture = waiting.transactions[1]
    refused = await holding.core.settle(waiting, capture.id, Report(Declined("refused")))

    taken = Report(Succeeded("capture-1", capture.amount, capture.id))
    order = await holding.core.settle(refused, capture.id, taken)

    assert order.charge.status is TransactionStatus.SUCCEEDED
    assert not any(t.status is TransactionStatus.AUTHORIZED for t in order.transactions)
    assert order.captured_minor_units == order.total.minor_units
