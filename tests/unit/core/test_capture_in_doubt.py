"""A capture of which only a person can say whether it took the money."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotReview
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Report, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureLate, CaptureMode
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide, without_look_ups


async def given_up(shop: Any) -> Any:
    """An order whose capture was sent in vain to a provider that cannot be asked."""
    placed = await without_look_ups(shop).place()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.process(placed.id, by="staff")
    await shop.work_until(passed=timedelta(hours=3))
    shop.gateway.forget_reactions()
    return await shop.orders.get(placed.id)


async def of_another_amount(shop: Any) -> Any:
    """An order of whose hold another sum was captured than we asked for."""
    placed = await shop.place()
    shop.gateway.react(reactions.WRONG_AMOUNT)
    return await shop.core.process(placed.id, by="staff")


InDoubt = Callable[[Any], Any]


@pytest.mark.parametrize("in_doubt", [given_up, of_another_amount])
@pytest.mark.parametrize("late", list(CaptureLate))
async def test_it_is_not_made_again_as_the_hold_ends(
    make_shop: Callable[..., Any], late: CaptureLate, in_doubt: InDoubt
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=late)
    doubtful = await in_doubt(shop)
    assert doubtful.transactions[-1].status is TransactionStatus.IN_REVIEW
    looked = len(shop.gateway.looked_up)
    await shop.work_until(passed=timedelta(days=9))
    order = await shop.orders.get(doubtful.id)

    captures = {a.key for a in shop.gateway.asked if a.kind is TransactionKind.CAPTURE}
    assert len(captures) == 1
    assert (order.status, order.payment_status) == (OrderStatus.PENDING, PaymentStatus.IN_REVIEW)
    assert len(shop.gateway.looked_up) - looked < 20


@pytest.mark.parametrize("late", list(CaptureLate))
async def test_if_it_never_happened_the_hold_is_decided_about(
    make_shop: Callable[..., Any], late: CaptureLate
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=late)
    doubtful = await given_up(shop)
    shop.clock.set(doubtful.charge.capture_before - timedelta(hours=20))
    await decide(shop, doubtful, doubtful.transactions[-1], ReviewDecision.NEVER_HAPPENED)
    await shop.work_until(passed=timedelta(hours=1))
    order = await shop.orders.get(doubtful.id)

    captures = late is CaptureLate.CAPTURE
    decided = TransactionKind.CAPTURE if captures else TransactionKind.VOID
    assert order.transactions[-1].kind is decided
    assert order.transactions[-1].status is TransactionStatus.SUCCEEDED


async def test_a_cancelled_order_does_not_ask_about_its_hold_every_quarter_of_an_hour(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    doubtful = await of_another_amount(shop)
    await shop.core.cancel(doubtful.id, customer_id="ann")
    looked = len(shop.gateway.looked_up)
    await shop.work_until(passed=timedelta(days=9))

    assert len(shop.gateway.looked_up) - looked < 20
    order = await shop.orders.get(doubtful.id)
    await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)
    await shop.work_until()
    order = await shop.orders.get(doubtful.id)
    assert order.captured_minor_units == order.refunded_minor_units == 2501
    assert order.attend_at is None


async def test_its_hold_is_not_let_go_before_it_is_decided_about(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await of_another_amount(shop)
    foreign = Report(Authorized("ref-9", WHOLE, "another"))
    order = await shop.core.settle(order, order.charge.id, foreign)
    assert order.charge.review is not None
    with pytest.raises(CannotReview) as refusal:
        await decide(shop, order, order.charge, ReviewDecision.REFUND)

    assert refusal.value.reason == "capture_in_review"


async def test_one_that_nobody_asked_for_begins_no_order_when_it_is_told_at_last(
    make_shop: Callable[..., Any],
) -> None:
    late = CaptureLate.CAPTURE
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=late))
    placed = await shop.place()
    shop.clock.set(placed.charge.capture_before - timedelta(hours=24))
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.work_until(passed=timedelta(hours=3))
    order = await shop.orders.get(placed.id)
    capture = order.transactions[-1]
    assert capture.review == "provider_has_no_look_up"
    taken = Report(Succeeded("capture-1", WHOLE, capture.id))
    order = await shop.core.settle(order, capture.id, taken)

    assert (order.status, order.payment_status) == (OrderStatus.PENDING, PaymentStatus.PAID)


async def test_a_capture_by_hand_that_is_told_meanwhile_is_booked_once_ours_is_decided(
    make_shop: Callable[..., Any],
) -> None:
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING))
    placed, provider = await shop.place(), Provider(shop)
    hold = placed.charge.provider_reference
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.process(placed.id, by="staff")
    by_hand = Succeeded("by-hand", WHOLE, "")
    told = await provider.tells(TransactionKind.CAPTURE, by_hand, parent_reference=hold)
    await shop.work_until(passed=timedelta(hours=3))
    order = await shop.orders.get(placed.id)
    await decide(shop, order, order.transactions[1], ReviewDecision.NEVER_HAPPENED)
    assert await shop.assembled().match() == 1
    order = await shop.orders.get(placed.id)

    assert told == "unknown_transaction"
    assert (order.captured_minor_units, order.transactions[-1].review) == (2500, "not_asked_for")
    assert order.charge.status is TransactionStatus.SUCCEEDED
    assert not (await shop.core.waiting()).events


async def _by_hand(provider: Provider, order: Any, amount: Money) -> Any:
    """An event tells of a capture of the hold, and does not say whose it is."""
    hold, taken = order.charge.provider_reference, Succeeded("cp-9", amount, "")
    await provider.tells(TransactionKind.CAPTURE, taken, parent_reference=hold)
    return await provider.shop.orders.get(order.id)


@pytest.mark.parametrize("accepted", ["not at all", "before", "after"])
async def test_one_that_nobody_has_seen_is_the_one_that_is_told_without_a_name(
    make_shop: Callable[..., Any], accepted: str
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await given_up(shop)
    provider, ours = Provider(shop), order.transactions[-1]
    if accepted == "before":
        order = await decide(shop, order, ours, ReviewDecision.ACCEPT)
    for _ in range(2):
        order = await _by_hand(provider, order, WHOLE)
    if accepted == "after":
        with pytest.raises(CannotReview) as refusal:
            await decide(shop, order, ours, ReviewDecision.ACCEPT)
        assert refusal.value.reason == "not_in_review"

    assert order.transaction(ours.id).provider_reference == "cp-9"
    assert (order.captured_minor_units, order.payment_status) == (2500, PaymentStatus.PAID)
    if accepted != "before":
        # Staff had asked for it in order to begin.
        assert order.status is OrderStatus.PROCESSING


async def test_to_accept_one_for_which_another_left_no_room_takes_nothing_twice(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await given_up(shop)
    provider, ours = Provider(shop), order.transactions[-1]
    order = await _by_hand(provider, order, Money(1000, "EUR"))
    other = order.transactions[-1]
    for doubtful in (ours, other):
        order = await decide(shop, order, doubtful, ReviewDecision.ACCEPT)

    assert order.captured_minor_units == 1000
    assert order.transaction(ours.id).status is TransactionStatus.FAILED
    assert (order.payment_status, order.attend_at) == (PaymentStatus.PAID, None)


async def test_two_captures_for_which_a_hold_has_room_are_two(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await shop.place()
    provider = Provider(shop)
    for reference in ("cp-1", "cp-2"):
        hold, taken = order.charge.provider_reference, Succeeded(reference, PART, "")
        await provider.tells(TransactionKind.CAPTURE, taken, parent_reference=hold)
    order = await shop.orders.get(order.id)

    assert order.captured_minor_units == 2 * PART.minor_units
