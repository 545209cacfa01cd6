"""What a person decides about money that contradicts us, and what is then done."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotReview
from order_core.events import PaymentFailed
from order_core.immutable import replace
from order_core.invariants import Evidence, violations
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, Report, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureLate, CaptureMode
from order_core.reviewing import ReviewDecision
from order_http.staff_actions import refusals
from order_memory import Standing, reactions
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide, without_look_ups


async def test_a_part_that_came_back_is_given_again_and_not_the_whole(shop: Any) -> None:
    placed = await shop.place()
    refunded = await shop.core.refund(placed.id, amount=PART, by="staff")
    refund = refunded.transactions[-1]
    shop.gateway.ledger.end(refund.provider_reference, Standing.DECLINED, reason="returned")
    order = await shop.core.settle(
        refunded, refund.id, Report(Declined("returned", reference=refund.provider_reference))
    )
    await decide(shop, order, order.transactions[-1], ReviewDecision.REFUND)

    assert shop.net_minor_units_at_the_provider() == 2500 - 700


async def test_a_part_that_was_refused_is_asked_again_and_not_the_whole(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.decline("account_closed"))
    order = await shop.core.refund(placed.id, amount=PART, by="staff")
    await decide(shop, order, order.transactions[-1], ReviewDecision.REFUND)

    assert shop.net_minor_units_at_the_provider() == 2500 - 700


async def test_a_refund_that_nobody_could_ask_about_and_never_happened_can_be_made(
    shop: Any,
) -> None:
    shop = without_look_ups(shop)
    placed = await shop.place()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(placed.id)
    assert order.transactions[-1].review == "provider_has_no_look_up"
    shop.gateway.forget_reactions()
    # A person has looked at the provider's page: there is no such refund.
    await decide(shop, order, order.transactions[-1], ReviewDecision.NEVER_HAPPENED)
    await shop.work_until()

    assert shop.net_minor_units_at_the_provider() == 0


async def test_a_charge_that_nobody_could_ask_about_and_never_happened_can_be_ended(
    shop: Any,
) -> None:
    shop = without_look_ups(shop)
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    opened = await shop.place()
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(opened.id)
    assert order.charge.review == "provider_has_no_look_up"
    order = await decide(shop, order, order.charge, ReviewDecision.NEVER_HAPPENED)

    assert order.status is OrderStatus.PAYMENT_FAILED


async def test_a_capture_that_nobody_could_ask_about_and_never_happened_leaves_a_hold_to_void(
    make_shop: Callable[..., Any],
) -> None:
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING))
    placed = await shop.place()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.process(placed.id, by="staff")
    await shop.work_until(passed=timedelta(days=1))
    shop.gateway.forget_reactions()
    order = await shop.orders.get(placed.id)
    assert order.transactions[-1].review == "provider_has_no_look_up"
    order = await shop.core.cancel(placed.id, customer_id="ann")
    await decide(shop, order, order.transactions[1], ReviewDecision.NEVER_HAPPENED)
    await shop.work_until(passed=timedelta(days=30))

    hold = shop.gateway.ledger.entry(placed.charge.provider_reference)
    order = await shop.orders.get(placed.id)
    assert (order.captured_minor_units, hold.standing) == (0, Standing.VOIDED)


@pytest.mark.parametrize("kind", ["charge", "refund"])
async def test_what_a_person_accepted_without_a_reference_is_not_counted_again_when_it_is_told(
    shop: Any, kind: str
) -> None:
    shop = without_look_ups(shop)
    if kind == "charge":
        shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
        order = await shop.place()
    else:
        order = await shop.place()
        shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
        order = await shop.core.refund(order.id, by="staff")
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(order.id)
    movement = order.transactions[-1]
    assert movement.review == "provider_has_no_look_up"
    # A person sees it at the provider's page; its event comes hours later.
    order = await decide(shop, order, movement, ReviewDecision.ACCEPT)
    done = shop.gateway.ledger.entries[-1]
    told = Report(Succeeded(done.reference, done.amount, movement.id))
    order = await shop.core.settle(order, movement.id, told)

    assert order.payment_status is not PaymentStatus.IN_REVIEW
    kept = order.captured_minor_units - order.refunded_minor_units
    assert kept == shop.net_minor_units_at_the_provider()


async def test_a_refund_of_a_charge_that_was_accepted_without_a_reference_reaches_the_buyer(
    shop: Any,
) -> None:
    shop = without_look_ups(shop)
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
    order = await shop.place()
    await shop.work_until(passed=timedelta(days=1))
    shop.gateway.forget_reactions()
    order = await shop.orders.get(order.id)
    await decide(shop, order, order.charge, ReviewDecision.ACCEPT)
    await shop.core.cancel(order.id, customer_id="ann")
    (done,) = [e for e in shop.gateway.ledger.entries if e.transaction.id == order.charge.id]
    await shop.core.settle(order, order.charge.id, Report(done.outcome))
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(order.id)

    assert shop.net_minor_units_at_the_provider() == 0
    assert order.payment_status is PaymentStatus.REFUNDED


async def test_a_failed_order_keeps_no_payment_that_was_accepted_before_the_other_went_back(
    shop: Any,
) -> None:
    order = await shop.place(payment_method="wrong_amount")
    again = shop.gateway.ledger.write(
        replace(order.charge, provider_reference=None, amount=WHOLE), Standing.SUCCEEDED
    )
    order = await shop.core.settle(order, order.charge.id, Report(again))
    second = order.transactions[-1]
    order = await decide(shop, order, second, ReviewDecision.ACCEPT)
    order = await decide(shop, order, order.charge, ReviewDecision.REFUND)
    await shop.work_until()
    order = await shop.orders.get(order.id)

    kept = shop.net_minor_units_at_the_provider()
    unpaid = order.status is OrderStatus.PAYMENT_FAILED
    assert kept == (0 if unpaid else 2500), (order.status, order.payment_status)


async def test_money_that_is_accepted_for_a_cancelled_order_is_given_back(shop: Any) -> None:
    order = await shop.place(payment_method="wrong_amount")
    await shop.core.cancel(order.id, customer_id="ann")
    order = await decide(shop, order, order.charge, ReviewDecision.ACCEPT)
    await shop.work_until()

    assert shop.net_minor_units_at_the_provider() == 0


async def test_a_hold_that_is_accepted_for_a_cancelled_order_is_given_up(shop: Any) -> None:
    order = await shop.place(payment_method="lost_request")
    entry = shop.gateway.ledger.write(order.charge, Standing.AUTHORIZED)
    order = await shop.core.settle(order, order.charge.id, Report(entry))
    await shop.core.cancel(order.id, customer_id="ann")
    order = await decide(shop, order, order.charge, ReviewDecision.ACCEPT)
    await shop.work_until(passed=timedelta(days=6))

    assert shop.gateway.ledger.entry(entry.reference).standing is Standing.VOIDED


async def test_a_hold_that_a_person_accepted_is_decided_about_before_it_ends(shop: Any) -> None:
    order = await shop.place(payment_method="lost_request")
    entry = shop.gateway.ledger.write(order.charge, Standing.AUTHORIZED)
    assert isinstance(entry, Authorized)
    assert entry.capture_before
    order = await shop.core.settle(order, order.charge.id, Report(entry))
    order = await decide(shop, order, order.charge, ReviewDecision.ACCEPT)
    assert order.status is OrderStatus.PENDING
    await shop.work_until(passed=timedelta(days=6, hours=12))

    assert (await shop.orders.get(order.id)).status is OrderStatus.CANCELLED


async def test_a_success_of_another_transaction_is_reviewed_until_a_person_decides(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    foreign = Report(Succeeded("ref-9", WHOLE, "another"))
    doubted = await shop.core.settle(opened, opened.charge.id, foreign)
    assert doubted.payment_status is PaymentStatus.IN_REVIEW
    await shop.work_until(passed=timedelta(minutes=5))

    assert (await shop.orders.get(opened.id)).payment_status is PaymentStatus.IN_REVIEW


async def test_the_hold_that_a_placed_order_lives_on_is_let_go_by_cancelling(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    placed = await shop.place()
    foreign = Report(Authorized("ref-9", WHOLE, "another"))
    order = await shop.core.settle(placed, placed.charge.id, foreign)
    with pytest.raises(CannotReview) as refusal:
        await decide(shop, order, order.charge, ReviewDecision.REFUND)
    assert refusal.value.reason == "order_lives_on_it"
    assert await shop.orders.get(placed.id) == order


async def test_a_hold_that_was_voided_at_the_dashboard_is_held_no_longer_once_accepted(
    make_shop: Callable[..., Any],
) -> None:
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING))
    provider = Provider(shop)
    placed = await shop.place()
    hold = placed.charge.provider_reference
    shop.gateway.ledger.end(hold, Standing.VOIDED, reason="voided")
    await provider.tells(TransactionKind.VOID, Succeeded("vo-1", WHOLE, ""), parent_reference=hold)
    order = await shop.orders.get(placed.id)
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=30))

    assert (await shop.orders.get(placed.id)).payment_status is PaymentStatus.UNPAID


@pytest.mark.parametrize("decision", [ReviewDecision.ACCEPT, ReviewDecision.REFUND])
async def test_a_hold_in_doubt_that_was_voided_at_the_dashboard_pays_nothing_and_is_held_no_longer(
    make_shop: Callable[..., Any], decision: ReviewDecision
) -> None:
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING))
    opened = await shop.place(payment_method="action_required")
    hold = opened.charge.provider_reference
    less = Report(Authorized(hold, Money(2400, "EUR"), opened.charge.id))
    await shop.core.settle(opened, opened.charge.id, less)
    shop.gateway.ledger.end(hold, Standing.VOIDED, reason="voided")
    voided = Succeeded("vo-1", Money(2400, "EUR"), "")
    await Provider(shop).tells(TransactionKind.VOID, voided, parent_reference=hold)
    order = await shop.orders.get(opened.id)
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)
    await decide(shop, order, order.charge, decision)
    await shop.work_until(passed=timedelta(days=30))

    order = await shop.orders.get(opened.id)
    assert order.charge.status is TransactionStatus.VOIDED
    assert (order.status, order.payment_status) == (
        OrderStatus.PAYMENT_FAILED,
        PaymentStatus.UNPAID,
    )
    history = await shop.core.history(order.id, customer_id="ann")
    assert violations(Evidence(order, history=tuple(history))) == ()


async def test_a_void_that_nobody_could_ask_about_ends_the_order_that_waits_and_its_buyer_hears_it(
    make_shop: Callable[..., Any],
) -> None:
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING))
    placed = await shop.place(payment_method="action_required")
    shop.gateway.react(*[reactions.LOSE_ANSWER] * 50)
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(placed.id)
    assert order.transactions[-1].kind is TransactionKind.VOID
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)

    assert order.status is OrderStatus.PAYMENT_FAILED
    history = await shop.core.history(order.id, customer_id="ann")
    assert PaymentFailed(placed.charge.id, "expired") in [each.event for each in history]
    assert violations(Evidence(order, history=tuple(history))) == ()


async def test_a_dispute_that_was_looked_at_is_ended_by_a_person_for_good_or_ill(
    shop: Any,
) -> None:
    placed, provider = await shop.place(), Provider(shop)
    opened = Reversed("dp-1", WHOLE, "needs_response", open=True)
    await provider.tells(
        TransactionKind.REVERSAL, opened, parent_reference=placed.charge.provider_reference
    )
    order = await shop.orders.get(placed.id)
    assert refusals(order)["review"] is None
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)
    assert refusals(order)["review"] is None

    order = await decide(shop, order, order.transactions[-1], ReviewDecision.DISPUTE_LOST)

    assert [t.reason for t in order.transactions[1:]] == ["dispute_open", "dispute_lost"]
    assert order.payment_status is not PaymentStatus.IN_REVIEW
    assert refusals(order)["review"] == ("not_in_review", "nothing of its payment is in review")
    for ended in order.transactions:
        with pytest.raises(CannotReview) as refusal:
            await decide(shop, order, ended, ReviewDecision.DISPUTE_WON)
        assert refusal.value.reason == "no_open_dispute"


async def test_a_dispute_whose_end_nobody_told_can_be_ended_by_a_person(shop: Any) -> None:
    placed, provider = await shop.place(), Provider(shop)
    opened = Reversed("dp-1", WHOLE, "needs_response", open=True)
    await provider.tells(
        TransactionKind.REVERSAL, opened, parent_reference=placed.charge.provider_reference
    )
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=120))
    order = await shop.orders.get(placed.id)
    await decide(shop, order, order.transactions[-1], ReviewDecision.DISPUTE_WON)
    await shop.work_until()

    order = await shop.orders.get(placed.id)
    # It is cancelled, so what is ours again goes back.
    assert shop.net_minor_units_at_the_provider() == 0
    assert order.payment_status is PaymentStatus.REFUNDED


async def test_a_refund_that_a_dispute_overtook_is_for_a_person_to_make_again(
    shop: Any,
) -> None:
    placed, provider = await shop.place(), Provider(shop)
    parent = placed.charge.provider_reference
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 3)
    await shop.core.refund(placed.id, amount=PART, by="staff")
    opened = Reversed("dp-1", WHOLE, "needs_response", open=True)
    await provider.tells(TransactionKind.REVERSAL, opened, parent_reference=parent)
    await shop.work_until(passed=timedelta(days=1))
    won = Restored("dp-1", WHOLE, "won")
    await provider.tells(TransactionKind.REVERSAL, won, parent_reference=parent)
    order = await shop.orders.get(placed.id)
    assert order.transactions[1].review == "reversal_refused:never_reached_the_provider"
    shop.gateway.forget_reactions()
    await decide(shop, order, order.transactions[1], ReviewDecision.REFUND)
    await shop.work_until()

    assert shop.net_minor_units_at_the_provider() == 1800


@pytest.mark.parametrize("end", ["cancelled", "taken late", "let go late", "expired"])
async def test_a_doubt_about_another_transaction_outlives_the_hold_that_it_was_noted_on(
    make_shop: Callable[..., Any], end: str
) -> None:
    late = CaptureLate.CAPTURE if end == "taken late" else CaptureLate.CANCEL
    shop = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=late)
    placed = await shop.place()
    foreign = Report(Succeeded("ref-9", WHOLE, "another"))
    await shop.core.settle(placed, placed.charge.id, foreign)
    if end == "cancelled":
        await shop.core.cancel(placed.id, customer_id="ann")
    if end == "expired":
        shop.gateway.ledger.end(placed.charge.provider_reference, Standing.VOIDED, reason=end)
    await shop.work_until(passed=timedelta(days=8))

    order = await shop.orders.get(placed.id)
    assert order.charge.status in {TransactionStatus.VOIDED, TransactionStatus.SUCCEEDED}
    assert order.charge.review == "names_another_transaction"
    order = await decide(shop, order, order.charge, ReviewDecision.ACCEPT)
    assert order.payment_status is not PaymentStatus.IN_REVIEW


async def test_an_order_that_fails_gives_back_what_was_taken_of_it_before(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    provider = Provider(shop)
    opened = await shop.place(payment_method="action_required")
    reference = opened.charge.provider_reference
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 3)
    await shop.work_until(passed=timedelta(minutes=31))
    less = Money(2400, "EUR")
    held = Report(Authorized(reference, less, opened.charge.id))
    order = await shop.orders.get(opened.id)
    order = await shop.core.settle(order, order.charge.id, held)
    assert order.charge.status is TransactionStatus.IN_REVIEW
    await provider.tells(
        TransactionKind.CAPTURE, Succeeded("cap-1", less, ""), parent_reference=reference
    )
    order = await shop.orders.get(opened.id)
    void = next(t for t in order.transactions if t.kind is TransactionKind.VOID)
    order = await shop.core.settle(order, void.id, Report(Succeeded("vo-1", WHOLE, void.id)))

    assert (order.status, order.captured_minor_units) == (OrderStatus.PAYMENT_FAILED, 2400)
    assert order.refund_asked_minor_units == 2400


async def test_of_a_refund_that_was_made_in_part_the_rest_can_be_given_back(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.WAIT)
    order = await shop.core.refund(placed.id, by="staff")
    refund = order.transactions[-1]
    part = Report(Succeeded(refund.provider_reference, PART, refund.id))
    order = await shop.core.settle(order, refund.id, part)
    order = await decide(shop, order, order.transaction(refund.id), ReviewDecision.ACCEPT)

    assert order.refunded_minor_units == 700
    assert order.left_of(order.charge) == 1800


async def test_of_a_refund_that_was_made_in_part_an_ended_order_gives_back_the_rest(
    shop: Any,
) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.WAIT)
    order = await shop.core.cancel(placed.id, customer_id="ann")
    refund = order.transactions[-1]
    part = Report(Succeeded(refund.provider_reference, PART, refund.id))
    order = await shop.core.settle(order, refund.id, part)
    shop.gateway.react(reactions.WAIT)
    order = await decide(shop, order, order.transaction(refund.id), ReviewDecision.ACCEPT)

    rest = order.transactions[-1]
    assert (rest.kind, rest.amount) == (TransactionKind.REFUND, Money(1800, "EUR"))
    assert order.left_of(order.charge) == 0


@pytest.mark.parametrize("end", ["accepted", "cancelled"])
async def test_a_charge_of_which_another_sum_was_only_held_is_a_hold(shop: Any, end: str) -> None:
    opened = await shop.place(payment_method="lost_request")
    ends = shop.clock.now() + timedelta(days=5)
    less = Authorized("ref-1", Money(2400, "EUR"), opened.charge.id, capture_before=ends)
    order = await shop.core.settle(opened, opened.charge.id, Report(less))
    if end == "cancelled":
        await shop.core.cancel(order.id, customer_id="ann")

    order = await decide(shop, order, order.charge, ReviewDecision.ACCEPT)

    assert order.captured_minor_units == 0
    if end == "cancelled":
        assert order.transactions[-1].kind is TransactionKind.VOID
    else:
        assert (order.status, order.payment_status) == (
            OrderStatus.PENDING,
            PaymentStatus.AUTHORIZED,
        )
        assert order.charge.capture_before == ends
