"""A second hold of the same request, which the provider made without being asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.immutable import replace
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, Outcome, Report
from order_core.payment import Origin, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode
from order_core.ports import ProviderFact
from order_core.reviewing import ReviewDecision
from order_memory import Standing, reactions

_DECISION = {"note": "looked at", "by": "staff"}


@pytest.fixture
def holding(make_shop: Callable[..., Any]) -> Any:
    return make_shop(capture=CaptureMode.ON_PROCESSING)


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

    await holding.core.receive_webhook.take_in("scripted", end)

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
    by_hand = replace(
        second,
        id="by-hand",
        kind=TransactionKind.CAPTURE,
        parent_reference=second.provider_reference,
        provider_reference=None,
    )
    holding.gateway.ledger.carry_out(by_hand)

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
