"""A second hold of the same request, which the provider made without being asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotProcess
from order_core.immutable import replace
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, Outcome, Report, Succeeded
from order_core.payment import Origin, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureLate, CaptureMode, GatewayProfile
from order_core.ports import ProviderFact
from order_core.reviewing import ReviewDecision
from order_memory import ScriptedGateway, Standing, reactions

_DECISION = {"note": "looked at", "by": "staff"}


async def held_again(shop: Any, order: Any, **said: Any) -> tuple[Any, Any]:
    """The order with a second hold beside its own, and that hold."""
    again = replace(order.charge, provider_reference=None)
    told: Outcome = shop.gateway.ledger.write(again, Standing.AUTHORIZED)
    assert isinstance(told, Authorized)
    told = replace(told, **said)
    order = await shop.core.settle(order, order.charge.id, Report(told))
    second = order.transactions[-1]
    assert (second.origin, second.review) == (Origin.PROVIDER, "not_asked_for")
    assert second.provider_reference == told.reference != order.charge.provider_reference
    return order, second


async def accepted_in_place_of_its_own(shop: Any) -> Any:
    """An order whose own hold has ended, and whose second one a person accepted."""
    placed = await shop.place()
    first = placed.charge.provider_reference
    shop.gateway.ledger.end(first, Standing.VOIDED, reason="voided")
    ended = Report(Declined("voided", reference=first))
    order = await shop.core.settle(placed, placed.charge.id, ended)
    order, second = await held_again(shop, order)
    return await shop.core.review(
        order.id, transaction_id=second.id, decision=ReviewDecision.ACCEPT, **_DECISION
    )


def standing(shop: Any, hold: PaymentTransaction) -> Standing:
    found: Standing = shop.gateway.ledger.entry(hold.provider_reference).standing
    return found


def take_by_hand(shop: Any, hold: PaymentTransaction) -> None:
    """Somebody captures a hold at the dashboard."""
    capture = replace(
        hold,
        id="by-hand",
        kind=TransactionKind.CAPTURE,
        parent_reference=hold.provider_reference,
        provider_reference=None,
    )
    shop.gateway.ledger.carry_out(capture)


def kept(shop: Any) -> int:
    """What the provider took for us, and did not give back."""
    ledger = shop.gateway.ledger
    return sum(ledger.taken(e.reference) - ledger.given_back(e.reference) for e in ledger.entries)


async def test_cancelling_gives_up_both(holding: Any) -> None:
    order, second = await held_again(holding, await holding.place())

    await holding.core.cancel(order.id, customer_id="ann")
    await holding.work_until(passed=timedelta(hours=6))

    order = await holding.orders.get(order.id)
    assert [standing(holding, h) for h in (order.charge, second)] == [Standing.VOIDED] * 2
    assert order.payment_status is PaymentStatus.UNPAID


@pytest.mark.parametrize("processing", [False, True])
async def test_a_person_lets_it_go_while_the_order_stands(
    holding: Any, *, processing: bool
) -> None:
    order = await holding.place()
    if processing:
        order = await holding.core.process(order.id, by="staff")
    order, second = await held_again(holding, order)

    await holding.core.review(
        order.id, transaction_id=second.id, decision=ReviewDecision.REFUND, **_DECISION
    )
    await holding.work_until(passed=timedelta(hours=1))

    after = await holding.orders.get(order.id)
    assert standing(holding, second) is Standing.VOIDED
    assert after.status is order.status
    assert after.transaction(second.id).status is TransactionStatus.VOIDED


async def test_letting_it_go_is_tried_again_while_the_provider_cannot_be_reached(
    holding: Any,
) -> None:
    order, second = await held_again(holding, await holding.place())
    holding.gateway.react(*[reactions.LOSE_REQUEST] * 12)

    await holding.core.review(
        order.id, transaction_id=second.id, decision=ReviewDecision.REFUND, **_DECISION
    )
    await holding.work_until(passed=timedelta(hours=12))

    assert standing(holding, second) is Standing.VOIDED


async def test_a_refusal_to_let_it_go_goes_before_a_person(holding: Any) -> None:
    order, second = await held_again(holding, await holding.place())
    holding.gateway.react(*[reactions.decline("not_possible")] * 20)

    await holding.core.review(
        order.id, transaction_id=second.id, decision=ReviewDecision.REFUND, **_DECISION
    )
    await holding.work_until(passed=timedelta(hours=12))

    order = await holding.orders.get(order.id)
    voids = [a for a in holding.gateway.asked if a.kind is TransactionKind.VOID]
    assert len(voids) == 1
    assert [t.review for t in order.transactions if t.kind is TransactionKind.VOID] == [
        "reversal_refused:not_possible"
    ]


async def test_an_event_about_its_end_is_not_about_the_first_one(holding: Any) -> None:
    order, second = await held_again(holding, await holding.place())
    reference = second.provider_reference
    # Both carry the mark of the request that made them.
    end = ProviderFact(
        TransactionKind.AUTHORIZATION,
        Declined("expired", reference=reference),
        reference,
        transaction_id=order.charge.id,
    )

    await holding.core.receive_webhook.take_in_event.take_in("scripted", end)

    order = await holding.orders.get(order.id)
    assert order.charge.status is TransactionStatus.AUTHORIZED
    assert order.transaction(second.id).status is TransactionStatus.VOIDED
    assert order.payment_status is PaymentStatus.AUTHORIZED


@pytest.mark.parametrize("decided", [False, True])
async def test_its_end_is_found_if_nobody_tells_it(holding: Any, *, decided: bool) -> None:
    order, second = await held_again(holding, await holding.place())
    if decided:
        await holding.core.review(
            order.id, transaction_id=second.id, decision=ReviewDecision.ACCEPT, **_DECISION
        )
        await holding.core.process(order.id, by="staff")
    holding.gateway.ledger.end(second.provider_reference, Standing.VOIDED, reason="expired")
    await holding.work_until(passed=timedelta(days=9))

    order = await holding.orders.get(order.id)
    assert order.transaction(second.id).status is TransactionStatus.VOIDED
    assert order.attend_at is None


async def test_its_end_is_found_beside_an_order_that_is_begun(holding: Any) -> None:
    placed = await holding.place()
    begun = await holding.core.process(placed.id, by="staff")
    order, second = await held_again(holding, begun)
    holding.gateway.ledger.end(second.provider_reference, Standing.VOIDED, reason="expired")

    await holding.work_until(passed=timedelta(days=9))

    order = await holding.orders.get(order.id)
    assert order.status is OrderStatus.PROCESSING
    assert order.transaction(second.id).status is TransactionStatus.VOIDED


async def test_the_order_does_not_end_with_it(holding: Any) -> None:
    order = await holding.place()
    soon = holding.clock.now() + timedelta(hours=30)
    order, second = await held_again(holding, order, capture_before=soon)

    await holding.work_until(passed=timedelta(days=2))

    after = await holding.orders.get(order.id)
    assert second.capture_before == soon
    assert after.status is OrderStatus.PENDING
    assert after.charge.status is TransactionStatus.AUTHORIZED


async def test_it_is_not_asked_about_all_week(holding: Any) -> None:
    await held_again(holding, await holding.place())

    await holding.work_until(passed=timedelta(days=6, hours=23))

    assert len(holding.gateway.looked_up) < 30


async def test_what_was_taken_of_it_is_given_back_if_the_order_is_cancelled(holding: Any) -> None:
    order, second = await held_again(holding, await holding.place())
    take_by_hand(holding, second)

    await holding.core.cancel(order.id, customer_id="ann")
    await holding.work_until(passed=timedelta(days=2))

    order = await holding.orders.get(order.id)
    assert order.captured_minor_units == order.refunded_minor_units == 2500
    assert kept(holding) == 0


async def test_one_that_was_accepted_is_taken_in_place_of_the_first(holding: Any) -> None:
    order = await accepted_in_place_of_its_own(holding)
    assert order.payment_status is PaymentStatus.AUTHORIZED

    order = await holding.core.process(order.id, by="staff")

    assert order.status is OrderStatus.PROCESSING
    assert order.captured_minor_units == kept(holding) == 2500


async def test_one_that_was_accepted_is_decided_about_before_it_ends(holding: Any) -> None:
    order = await accepted_in_place_of_its_own(holding)

    await holding.work_until(passed=timedelta(days=8))

    order = await holding.orders.get(order.id)
    assert order.status is OrderStatus.CANCELLED
    assert order.payment_status is PaymentStatus.UNPAID
    assert not [e for e in holding.gateway.ledger.entries if e.standing is Standing.AUTHORIZED]


# What it may not do ---------------------------------------------------------------------------


async def own_ends(shop: Any, order: Any) -> Any:
    first = order.charge.provider_reference
    shop.gateway.ledger.end(first, Standing.VOIDED, reason="voided")
    return await shop.core.settle(
        order, order.charge.id, Report(Declined("voided", reference=first))
    )


async def decide(shop: Any, order: Any, transaction: Any, decision: ReviewDecision) -> Any:
    return await shop.core.review(
        order.id, transaction_id=transaction.id, decision=decision, **_DECISION
    )


@pytest.mark.parametrize("late", list(CaptureLate))
async def test_its_own_hold_is_decided_about_before_its_end_also_if_it_is_doubted(
    make_shop: Callable[..., Any], late: CaptureLate
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=late)
    order = await shop.place()
    mixed_up = Authorized("not-ours", order.total, "another-transaction")
    await shop.core.settle(order, order.charge.id, Report(mixed_up))
    await shop.work_until(passed=timedelta(days=6, hours=12))

    order = await shop.orders.get(order.id)
    decided = order.status is OrderStatus.CANCELLED or order.captured_minor_units
    assert decided, (order.status, order.charge.status, order.charge.review)


async def test_a_hold_that_a_person_lets_go_is_not_captured_meanwhile(holding: Any) -> None:
    order, second = await held_again(holding, await holding.place())
    holding.gateway.react(reactions.LOSE_REQUEST)
    order = await decide(holding, order, second, ReviewDecision.REFUND)
    order = await own_ends(holding, order)
    with pytest.raises(CannotProcess):
        await holding.core.process(order.id, by="staff")
    await holding.work_until(passed=timedelta(hours=2))
    order = await holding.orders.get(order.id)
    assert not order.captured_minor_units


async def test_a_hold_whose_void_was_refused_is_not_captured_at_its_end(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=CaptureLate.CAPTURE)
    order, second = await held_again(shop, await shop.place())
    shop.gateway.react(reactions.decline("not_possible"))
    order = await decide(shop, order, second, ReviewDecision.REFUND)
    await shop.work_until(passed=timedelta(hours=1))
    order = await own_ends(shop, await shop.orders.get(order.id))
    await shop.work_until(passed=timedelta(days=7))

    order = await shop.orders.get(order.id)
    assert not order.captured_minor_units, [
        (t.kind, t.status, t.review) for t in order.transactions
    ]


async def test_an_event_about_our_capture_of_an_accepted_hold_is_about_the_capture(
    holding: Any,
) -> None:
    order = await own_ends(holding, await holding.place())
    order, second = await held_again(holding, order)
    order = await decide(holding, order, second, ReviewDecision.ACCEPT)
    holding.gateway.react(reactions.LOSE_ANSWER)
    order = await holding.core.process(order.id, by="staff")
    capture = order.transactions[-1]
    assert capture.kind is TransactionKind.CAPTURE
    assert capture.is_open
    pi = second.provider_reference
    # As Stripe tells it: the capture goes by the id of the intent, and has its own mark.
    fact = ProviderFact(
        TransactionKind.CAPTURE,
        Succeeded(pi, order.total, capture.id),
        pi,
        transaction_id=capture.id,
        parent_reference=pi,
    )
    await holding.core.receive_webhook.take_in_event.take_in("scripted", fact)
    order = await holding.orders.get(order.id)
    assert order.status is OrderStatus.PROCESSING


async def test_a_second_hold_that_another_order_has_does_not_end_ours(holding: Any) -> None:
    mine = await holding.place()
    other = await holding.place(customer_id="bob")
    told = Report(Authorized(other.charge.provider_reference, mine.total, mine.charge.id))
    mine = await holding.core.settle(mine, mine.charge.id, told)
    assert standing(holding, mine.charge) is Standing.AUTHORIZED
    assert mine.charge.status is TransactionStatus.AUTHORIZED, mine.charge.reason


async def test_letting_a_second_hold_go_fails_no_order_that_waits_for_a_person(
    holding: Any,
) -> None:
    order = await holding.place(payment_method="action_required")
    reference = order.charge.provider_reference
    holding.gateway.approve(reference)
    less = Report(Authorized(reference, Money(2400, "EUR"), order.charge.id))
    order = await holding.core.settle(order, order.charge.id, less)
    assert order.status is OrderStatus.AWAITING_PAYMENT
    order, second = await held_again(holding, order)
    await decide(holding, order, second, ReviewDecision.REFUND)
    await holding.work_until(passed=timedelta(hours=1))
    order = await holding.orders.get(order.id)
    assert order.charge.status is TransactionStatus.IN_REVIEW
    assert order.status is OrderStatus.AWAITING_PAYMENT


async def test_a_second_hold_of_a_processed_order_is_not_asked_about_every_quarter_of_an_hour(
    holding: Any,
) -> None:
    order = await holding.place()
    order = await holding.core.process(order.id, by="staff")
    await held_again(holding, order)
    await holding.work_until(passed=timedelta(days=30))
    assert len(holding.gateway.looked_up) < 60


async def test_a_second_hold_without_look_up_comes_to_rest(holding: Any) -> None:
    profile = GatewayProfile("scripted", "test", looks_up=frozenset())
    holding.gateway = ScriptedGateway(holding.clock, profile=profile)
    holding.core = holding.assembled(gateways={"scripted": holding.gateway})
    order = await holding.place()
    order = await holding.core.process(order.id, by="staff")
    order, second = await held_again(holding, order)
    await decide(holding, order, second, ReviewDecision.ACCEPT)
    await holding.work_until(passed=timedelta(days=60))
    order = await holding.orders.get(order.id)
    assert order.attend_at is None, order.attend_at


async def test_a_second_hold_of_an_order_that_was_given_back_comes_to_rest(holding: Any) -> None:
    profile = GatewayProfile("scripted", "test", looks_up=frozenset())
    holding.gateway = ScriptedGateway(holding.clock, profile=profile)
    holding.core = holding.assembled(gateways={"scripted": holding.gateway})
    order = await holding.place()
    await holding.core.process(order.id, by="staff")
    order = await holding.core.refund(order.id, by="staff")
    order, second = await held_again(holding, order)
    await decide(holding, order, second, ReviewDecision.ACCEPT)
    await holding.work_until(passed=timedelta(days=9))
    order = await holding.orders.get(order.id)
    assert order.attend_at is None, order.attend_at


async def test_an_accepted_hold_of_another_currency_is_no_money_of_this_order(
    holding: Any,
) -> None:
    order = await own_ends(holding, await holding.place())
    order, second = await held_again(holding, order, amount=Money(2500, "USD"))
    order = await decide(holding, order, second, ReviewDecision.ACCEPT)
    with pytest.raises(CannotProcess):
        order = await holding.core.process(order.id, by="staff")
    assert order.status is not OrderStatus.PROCESSING


async def test_an_accepted_hold_of_a_part_does_not_pay_the_order(holding: Any) -> None:
    order = await own_ends(holding, await holding.place())
    order, second = await held_again(holding, order, amount=Money(1, "EUR"))
    order = await decide(holding, order, second, ReviewDecision.ACCEPT)
    with pytest.raises(CannotProcess):
        await holding.core.process(order.id, by="staff")


async def test_a_void_that_came_too_late_makes_us_ask(holding: Any) -> None:
    order, second = await held_again(holding, await holding.place())
    await holding.work_until(passed=timedelta(hours=3))
    take_by_hand(holding, second)
    await decide(holding, order, second, ReviewDecision.REFUND)
    await holding.work_until(passed=timedelta(days=1))
    order = await holding.orders.get(order.id)
    assert order.captured_minor_units == 2500, [
        (t.kind, t.status, t.review) for t in order.transactions
    ]


async def test_an_own_hold_that_is_accepted_after_that_failure_is_let_go(holding: Any) -> None:
    order = await holding.place(payment_method="action_required")
    reference = order.charge.provider_reference
    holding.gateway.approve(reference)
    less = Report(Authorized(reference, Money(2400, "EUR"), order.charge.id))
    order = await holding.core.settle(order, order.charge.id, less)
    order, second = await held_again(holding, order)
    await decide(holding, order, second, ReviewDecision.REFUND)
    await holding.work_until(passed=timedelta(hours=1))
    order = await holding.orders.get(order.id)
    await decide(holding, order, order.charge, ReviewDecision.ACCEPT)
    await holding.work_until(passed=timedelta(days=10))
    order = await holding.orders.get(order.id)
    assert standing(holding, order.charge) is Standing.VOIDED, (order.status, order.attend_at)


async def test_a_hold_of_nothing_is_none(holding: Any) -> None:
    placed = await holding.place()
    nothing = Authorized("ref-0", Money(0, "EUR"), placed.charge.id)
    order = await holding.core.settle(placed, placed.charge.id, Report(nothing))
    cancelled = await holding.core.cancel(placed.id, customer_id="ann")

    assert order == placed
    assert all(t.amount == placed.total for t in cancelled.transactions)
