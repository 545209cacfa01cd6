"""What follows a person's decision, whatever else happened to the money before and since."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotReview
from order_core.immutable import replace
from order_core.money import Money
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, Report, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode
from order_core.reviewing import ReviewDecision
from order_memory import Standing, reactions
from order_sqlalchemy import SqlOrders, open_database, upgrade
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide, without_look_ups

D = ReviewDecision


async def _hold_of_less(shop: Any) -> Any:
    order = await shop.place(payment_method="action_required")
    reference = order.charge.provider_reference
    shop.gateway.approve(reference)
    less = Report(Authorized(reference, Money(2400, "EUR"), order.charge.id))
    order = await shop.core.settle(order, order.charge.id, less)
    assert order.charge.status is TransactionStatus.IN_REVIEW
    return order


async def test_giving_its_hold_back_gives_back_what_was_accepted_before(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await _hold_of_less(shop)
    again = shop.gateway.ledger.write(
        replace(order.charge, kind=TransactionKind.CHARGE, provider_reference=None, amount=WHOLE),
        Standing.SUCCEEDED,
    )
    order = await shop.core.settle(order, order.charge.id, Report(again))
    second = order.transactions[-1]
    assert second.kind is TransactionKind.CHARGE
    order = await decide(shop, order, second, D.ACCEPT)
    order = await decide(shop, order, order.charge, D.REFUND)
    await shop.work_until(passed=timedelta(days=10))
    order = await shop.orders.get(order.id)
    assert order.status is OrderStatus.PAYMENT_FAILED
    kept = order.captured_minor_units - order.refunded_minor_units
    assert kept == 0, [(t.kind, t.status, t.review) for t in order.transactions]


async def _captured_in_review(shop: Any) -> Any:
    """A hold of another amount waits for a person; somebody captures it at the dashboard."""
    order = await _hold_of_less(shop)
    provider = Provider(shop)
    hold = order.charge
    shop.gateway.ledger.carry_out(
        replace(
            hold,
            kind=TransactionKind.CAPTURE,
            id="dash",
            provider_reference=None,
            parent_reference=hold.provider_reference,
        )
    )
    taken = shop.gateway.ledger.entries[-1].outcome
    await provider.tells(
        TransactionKind.CAPTURE,
        replace(taken, transaction_id=""),
        parent_reference=hold.provider_reference,
    )
    order = await shop.orders.get(order.id)
    assert order.captured_minor_units == 2400
    return order


async def test_giving_a_captured_hold_back_gives_the_capture_back(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await _captured_in_review(shop)
    order = await decide(shop, order, order.transactions[-1], D.ACCEPT)
    order = await decide(shop, order, order.charge, D.REFUND)
    await shop.work_until(passed=timedelta(days=10))
    order = await shop.orders.get(order.id)
    kept = order.captured_minor_units - order.refunded_minor_units
    assert (order.status, kept) == (OrderStatus.PAYMENT_FAILED, 0)


@pytest.mark.parametrize("cancel", [False, True])
async def test_a_hold_that_was_captured_is_held_no_longer_once_accepted(
    make_shop: Callable[..., Any], *, cancel: bool
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await _captured_in_review(shop)
    order = await decide(shop, order, order.transactions[-1], D.ACCEPT)
    order = await decide(shop, order, order.charge, D.ACCEPT)
    assert order.status is OrderStatus.PENDING
    if cancel:
        await shop.core.cancel(order.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=12))
    order = await shop.orders.get(order.id)
    assert order.charge.status is not TransactionStatus.AUTHORIZED
    assert order.attend_at is None


async def test_a_refund_that_nobody_could_ask_about_was_not_refused(
    shop: Any,
) -> None:
    shop = without_look_ups(shop)
    placed = await shop.place()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.refund(placed.id, amount=PART, by="staff")
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(placed.id)
    assert order.transactions[-1].review == "provider_has_no_look_up"
    with pytest.raises(CannotReview) as refusal:
        await decide(shop, order, order.transactions[-1], D.REFUND)
    assert refusal.value.reason == "not_refused"


async def test_a_part_that_was_given_back_twice_is_not_given_back_a_third_time(shop: Any) -> None:
    placed = await shop.place()
    order = await shop.core.refund(placed.id, amount=PART, by="staff")
    refund = order.transactions[-1]
    again = shop.gateway.ledger.write(replace(refund, provider_reference=None), Standing.SUCCEEDED)
    order = await shop.core.settle(order, refund.id, Report(again))
    twice = order.transactions[-1]
    assert (twice.kind, bool(twice.review)) == (TransactionKind.REFUND, True)
    with pytest.raises(CannotReview) as refusal:
        await decide(shop, order, twice, D.REFUND)
    assert refusal.value.reason == "not_refused"


async def test_a_doubt_about_a_refund_ends_when_it_is_tried_again(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_REQUEST)
    order = await shop.core.refund(placed.id, amount=PART, by="staff")
    refund = order.transactions[-1]
    order = await shop.core.settle(order, refund.id, Report(Succeeded("re-9", PART, "another")))
    order = await shop.core.settle(
        order, refund.id, Report(Declined("later", retryable=True), shop.clock.now())
    )
    assert order.transaction(refund.id).status is TransactionStatus.DECLINED
    assert order.transactions[-1].id != refund.id
    assert order.transaction(refund.id).review is None
    await shop.work_until()
    assert shop.net_minor_units_at_the_provider() == 2500 - 700


async def test_accepting_a_stray_doubt_gives_nothing_back(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.decline("account_closed"))
    order = await shop.core.cancel(placed.id, customer_id="ann")
    # Staff pays by bank transfer, and says so.
    order = await decide(shop, order, order.transactions[-1], D.ACCEPT)
    order = await shop.core.settle(
        order, order.charge.id, Report(Succeeded("ref-9", WHOLE, "another"))
    )
    order = await decide(shop, order, order.charge, D.ACCEPT)
    await shop.work_until()
    assert shop.net_minor_units_at_the_provider() == 2500


async def test_accepting_a_stray_doubt_decides_nothing_about_the_refund_that_was_refused(
    shop: Any,
) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.decline("account_closed"))
    order = await shop.core.cancel(placed.id, customer_id="ann")
    # Staff is just paying by bank transfer.
    assert order.transactions[-1].review
    order = await shop.core.settle(
        order, order.charge.id, Report(Succeeded("ref-9", WHOLE, "another"))
    )
    await decide(shop, order, order.charge, D.ACCEPT)
    await shop.work_until()
    assert shop.net_minor_units_at_the_provider() == 2500


@pytest.mark.parametrize("mode", list(CaptureMode))
async def test_an_accepted_void_ends_what_waited_for_its_buyer(
    make_shop: Callable[..., Any], mode: CaptureMode
) -> None:
    shop = without_look_ups(make_shop(capture=mode))
    order = await shop.place(payment_method="action_required")
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.cancel(order.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(order.id)
    void = order.transactions[-1]
    assert void.review == "provider_has_no_look_up"
    await decide(shop, order, void, D.ACCEPT)
    await shop.work_until(passed=timedelta(days=3))
    order = await shop.orders.get(order.id)
    assert (order.charge.is_open, order.attend_at) == (False, None)


async def test_a_hold_that_is_named_at_last_is_dated(make_shop: Callable[..., Any]) -> None:
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING))
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
    order = await shop.place()
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(order.id)
    order = await decide(shop, order, order.charge, D.ACCEPT)
    ends = shop.clock.now() + timedelta(days=5)
    told = Report(Authorized("ref-1", WHOLE, order.charge.id, capture_before=ends))
    order = await shop.core.settle(order, order.charge.id, told)
    assert order.charge.provider_reference == "ref-1"
    assert order.charge.capture_before == ends
    assert order.attend_at is not None


async def test_a_hold_without_our_mark_is_dated(make_shop: Callable[..., Any]) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    opened = await shop.place(payment_method="lost_request")
    asked_at = opened.charge.absence_is_proof_from(shop.policy.clock_skew)
    shop.clock.set(asked_at)
    ends = asked_at + timedelta(days=5)
    shown = Authorized("ref-9", WHOLE, "", capture_before=ends)
    order = await shop.core.settle(opened, opened.charge.id, Report(shown, asked_at))
    order = await decide(shop, order, order.charge, D.ACCEPT)
    assert order.status is OrderStatus.PENDING
    assert order.charge.capture_before == ends


@pytest.mark.parametrize("is_back", [True, False])
async def test_its_own_hold_pays_once_what_was_taken_beside_it_goes_back(
    make_shop: Callable[..., Any], *, is_back: bool
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order, provider = await shop.place(), Provider(shop)
    again = shop.gateway.ledger.write(
        replace(order.charge, provider_reference=None), Standing.AUTHORIZED
    )
    order = await shop.core.settle(order, order.charge.id, Report(again))
    second = order.transactions[-1]
    taken = shop.gateway.ledger.write(
        replace(
            second,
            kind=TransactionKind.CAPTURE,
            id="dash",
            provider_reference=None,
            parent_reference=second.provider_reference,
        ),
        Standing.SUCCEEDED,
    )
    await provider.tells(
        TransactionKind.CAPTURE,
        replace(taken, transaction_id=""),
        parent_reference=second.provider_reference,
    )
    order = await shop.orders.get(order.id)
    shop.gateway.react(reactions.OBEY if is_back else reactions.WAIT)
    order = await decide(shop, order, order.transactions[-1], D.REFUND)
    await shop.work_until()
    order = await shop.orders.get(order.id)
    assert order.payment_status != "in_review"
    assert order.charge.status is TransactionStatus.AUTHORIZED
    order = await shop.core.process(order.id, by="staff")
    assert order.status is OrderStatus.PROCESSING
    assert order.charge.status is TransactionStatus.SUCCEEDED


async def _held_unseen(make_shop: Callable[..., Any]) -> tuple[Any, Any]:
    """An order whose hold a person accepted, by a reference that nobody has told yet."""
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING))
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
    order = await shop.place()
    await shop.work_until(passed=timedelta(days=1))
    shop.gateway.forget_reactions()
    order = await shop.orders.get(order.id)
    return shop, await decide(shop, order, order.charge, D.ACCEPT)


async def test_accepting_that_a_void_was_refused_asks_nobody_about_a_hold_that_is_gone(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    placed = await shop.place()
    hold = placed.charge.provider_reference
    shop.gateway.react(*[reactions.decline("not_possible")] * 20)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(hours=12))
    order = await shop.orders.get(placed.id)
    refused = next(t for t in order.transactions if t.review)
    shop.gateway.ledger.end(hold, Standing.VOIDED, reason="expired")
    gone = Report(Declined("expired", reference=hold))
    order = await shop.core.settle(order, placed.charge.id, gone)
    assert order.charge.status is TransactionStatus.VOIDED

    order = await decide(shop, order, refused, D.ACCEPT)

    assert order.attend_at is None


@pytest.mark.parametrize("end", ["process", "cancel"])
async def test_of_a_hold_without_a_reference_nothing_is_asked(
    make_shop: Callable[..., Any], end: str
) -> None:
    shop, order = await _held_unseen(make_shop)
    asked = shop.gateway.asked
    if end == "process":
        await shop.core.process(order.id, by="staff")
    else:
        await shop.core.cancel(order.id, customer_id="ann")
    await shop.work_until(passed=timedelta(minutes=5))
    assert shop.gateway.asked == asked


async def test_a_doubt_about_a_void_ends_when_it_is_tried_again(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_REQUEST)
    order = await shop.core.cancel(placed.id, customer_id="ann")
    void = order.transactions[-1]
    order = await shop.core.settle(order, void.id, Report(Succeeded("vo-9", WHOLE, "another")))
    order = await shop.core.settle(
        order, void.id, Report(Declined("later", retryable=True), shop.clock.now())
    )
    await shop.work_until(passed=timedelta(hours=12))
    order = await shop.orders.get(order.id)
    assert order.transaction(void.id).review is None
    await shop.work_until(passed=timedelta(days=2))
    assert shop.gateway.ledger.entry(placed.charge.provider_reference).standing is Standing.VOIDED


@pytest.mark.parametrize("end", ["process", "cancel"])
async def test_what_follows_a_hold_without_a_reference_is_done_once_it_is_named(
    make_shop: Callable[..., Any], end: str
) -> None:
    shop, order = await _held_unseen(make_shop)
    if end == "process":
        await shop.core.process(order.id, by="staff")
    else:
        await shop.core.cancel(order.id, customer_id="ann")
    await shop.work_until(passed=timedelta(minutes=5))
    order = await shop.orders.get(order.id)
    (done,) = [e for e in shop.gateway.ledger.entries if e.transaction.id == order.charge.id]
    order = await shop.core.settle(order, order.charge.id, Report(done.outcome))
    await shop.work_until(passed=timedelta(days=3))
    order = await shop.orders.get(order.id)
    says = [(t.kind, t.status, t.review, t.reason) for t in order.transactions]
    if end == "process":
        assert order.status is OrderStatus.PROCESSING, says
    else:
        held = shop.gateway.ledger.entry(done.reference).standing
        assert held is Standing.VOIDED, says


@pytest.mark.parametrize("kind", ["charge", "without_mark"])
async def test_a_payment_of_nothing_can_be_stored(shop: Any, tmp_path: Any, kind: str) -> None:
    url = f"sqlite:///{tmp_path / 'orders.db'}"
    await upgrade(url)
    database = open_database(url)
    try:
        opened = await shop.place(payment_method="lost_request")
        asked_at = opened.charge.absence_is_proof_from(shop.policy.clock_skew)
        shop.clock.set(asked_at)
        mark = opened.charge.id if kind == "charge" else ""
        nothing = Succeeded("ref-0", Money(0, "EUR"), mark)
        order = await shop.core.settle(opened, opened.charge.id, Report(nothing, asked_at))

        await SqlOrders(database).save(replace(order, version=0))
    finally:
        await database.close()
