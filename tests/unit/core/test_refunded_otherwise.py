"""A buyer who got back by another way what a refund was to give back does not get it twice."""

from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotRefund, CannotReview
from order_core.order import PaymentStatus
from order_core.outcomes import Declined, Report, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.reviewing import ReviewDecision
from order_email.wording import money_back
from order_memory import reactions
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide, without_look_ups

D = ReviewDecision


async def _refused(shop: Any, placed: Any, *, part: bool = False) -> tuple[Any, Any]:
    """An order, and its refund of which the provider says that it can never be made."""
    shop.gateway.react(reactions.decline("account_closed"))
    if part:
        order = await shop.core.refund(placed.id, amount=PART, by="staff")
    else:
        order = await shop.core.cancel(placed.id, customer_id="ann")
    refund = order.transactions[-1]
    assert refund.review == "reversal_refused:account_closed"
    return order, refund


async def _returned(shop: Any, placed: Any) -> tuple[Any, Any]:
    """An order, and the return of its refund, which the buyer's bank sent back."""
    order = await shop.core.cancel(placed.id, customer_id="ann")
    refund = order.transactions[-1]
    back = Report(Declined("account_closed", reference=refund.provider_reference))
    order = await shop.core.settle(order, refund.id, back)
    return order, order.transactions[-1]


async def _dispute_is_won(provider: Provider, order: Any) -> Any:
    """The shop has the money of a dispute again, and so whatever an ended order owes goes back."""
    of = {"parent_reference": order.charge.provider_reference}
    opened = Reversed("dp-1", WHOLE, "needs_response", open=True)
    await provider.tells(TransactionKind.REVERSAL, opened, **of)
    await provider.tells(TransactionKind.REVERSAL, Restored("dp-1", WHOLE, "won"), **of)
    return await provider.shop.orders.get(order.id)


def _live_refunds(order: Any) -> list[Any]:
    return [t for t in order.transactions if t.kind is TransactionKind.REFUND and t.is_live]


@pytest.mark.parametrize("decision", [D.ACCEPT, D.REFUNDED_OTHERWISE])
async def test_a_refused_refund_of_an_ended_order_is_not_made_again_once_a_person_has_settled_it(
    shop: Any, decision: ReviewDecision
) -> None:
    provider = Provider(shop)
    order, refused = await _refused(shop, await shop.place())
    order = await decide(shop, order, refused, decision)
    order = await _dispute_is_won(provider, order)

    assert _live_refunds(order) == []
    with pytest.raises(CannotRefund) as refusal:
        await shop.core.refund(order.id, by="staff")
    assert refusal.value.reason == "refunded_otherwise"


@pytest.mark.parametrize("decision", [D.ACCEPT, D.REFUNDED_OTHERWISE])
async def test_a_refund_that_came_back_is_not_made_again_once_a_person_has_settled_it(
    shop: Any, decision: ReviewDecision
) -> None:
    provider = Provider(shop)
    order, returned = await _returned(shop, await shop.place())
    order = await decide(shop, order, returned, decision)
    order = await _dispute_is_won(provider, order)

    assert len(_live_refunds(order)) == 1
    assert (order.refunded_minor_units, order.left_of(order.charge)) == (0, 0)


async def test_cancelling_gives_back_the_rest_of_what_was_refunded_otherwise(shop: Any) -> None:
    order, refused = await _refused(shop, await shop.place(), part=True)
    order = await decide(shop, order, refused, D.REFUNDED_OTHERWISE)
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    await shop.core.cancel(order.id, customer_id="ann")

    assert shop.net_minor_units_at_the_provider() == PART.minor_units


async def test_cancelling_gives_back_all_of_an_order_whose_refused_refund_was_merely_accepted(
    shop: Any,
) -> None:
    order, refused = await _refused(shop, await shop.place(), part=True)
    order = await decide(shop, order, refused, D.ACCEPT)
    await shop.core.cancel(order.id, customer_id="ann")

    assert shop.net_minor_units_at_the_provider() == 0


@pytest.mark.parametrize("undone", [_refused, _returned])
async def test_to_accept_a_refund_counts_no_more_of_it_than_is_left(shop: Any, undone: Any) -> None:
    provider = Provider(shop)
    order, doubtful = await undone(shop, await shop.place())
    of = {"parent_reference": order.charge.provider_reference}
    await provider.tells(TransactionKind.REFUND, Succeeded("re-hand", PART, ""), **of)
    order = await decide(shop, order, doubtful, D.ACCEPT)

    assert order.refunded_minor_units + order.refunded_otherwise_minor_units == 2500
    assert money_back(order).startswith("25.00 EUR have been paid back to you.")
    # What somebody gave back by hand is owed again once it is undone.
    failed = Declined("account_closed", reference="re-hand")
    await provider.tells(TransactionKind.REFUND, failed, **of)
    order = await shop.orders.get(order.id)
    assert order.left_of(order.charge) == PART.minor_units


async def test_two_refused_refunds_that_are_accepted_give_back_no_more_than_was_taken(
    shop: Any,
) -> None:
    order, part = await _refused(shop, await shop.place(), part=True)
    order, whole = await _refused(shop, order)
    for refused in (part, whole):
        order = await decide(shop, order, refused, D.ACCEPT)

    assert order.refunded_otherwise_minor_units == 2500


async def test_what_went_back_through_the_provider_after_all_was_not_refunded_otherwise(
    shop: Any,
) -> None:
    order, refused = await _refused(shop, await shop.place(), part=True)
    order = await shop.core.cancel(order.id, customer_id="ann")
    again = order.transactions[-1]
    assert again.amount == WHOLE
    order = await decide(shop, order, refused, D.ACCEPT)
    back = Report(Declined("account_closed", reference=again.provider_reference))
    order = await shop.core.settle(order, again.id, back)

    assert order.left_of(order.charge) == 2500


async def test_the_retry_of_a_refund_asks_for_what_was_not_refunded_otherwise(shop: Any) -> None:
    order, refused = await _refused(shop, await shop.place(), part=True)
    shop.gateway.react(reactions.WAIT)
    order = await shop.core.cancel(order.id, customer_id="ann")
    order = await decide(shop, order, refused, D.REFUNDED_OTHERWISE)
    whole = order.transactions[-1]
    shop.gateway.react(reactions.WAIT)
    no = Report(Declined("later", retryable=True, reference=whole.provider_reference))
    order = await shop.core.settle(order, whole.id, no)

    assert order.transactions[-1].amount.minor_units == 2500 - PART.minor_units


@pytest.mark.parametrize("happened", [False, True])
async def test_a_refund_that_nobody_could_ask_about_is_not_made_anew_if_it_was_made_otherwise(
    shop: Any, *, happened: bool
) -> None:
    shop = without_look_ups(shop)
    placed = await shop.place()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(placed.id)
    refund = order.transactions[-1]
    order = await decide(shop, order, refund, D.REFUNDED_OTHERWISE)

    assert [t.id for t in order.transactions] == [placed.charge.id, refund.id]
    assert order.payment_status is PaymentStatus.REFUNDED
    if happened:
        # The person was wrong: it had gone back through the provider, too.
        done = Report(Succeeded("re-9", WHOLE, refund.id))
        order = await shop.core.settle(order, refund.id, done)
        assert order.payment_status is PaymentStatus.IN_REVIEW
        assert order.refunded_minor_units == 2500


@pytest.mark.parametrize("undone", [_refused, _returned])
async def test_a_buyer_is_told_that_he_has_back_what_was_refunded_otherwise(
    shop: Any, undone: Any
) -> None:
    order, doubtful = await undone(shop, await shop.place())
    order = await decide(shop, order, doubtful, D.REFUNDED_OTHERWISE)

    assert order.payment_status is PaymentStatus.REFUNDED
    assert money_back(order).startswith("25.00 EUR have been paid back to you.")


@pytest.mark.parametrize("which", ["charge", "refund"])
async def test_only_what_was_refused_or_came_back_can_have_been_refunded_otherwise(
    shop: Any, which: str
) -> None:
    placed = await shop.place()
    if which == "refund":
        order = await shop.core.refund(placed.id, by="staff", amount=PART)
        doubtful = order.transactions[-1]
        again = Report(Succeeded("second-refund", PART, doubtful.id))
        order = await shop.core.settle(order, doubtful.id, again)
    else:
        other = Report(Succeeded("ref-9", WHOLE, placed.charge.id))
        order = await shop.core.settle(placed, placed.charge.id, other)
    doubtful = order.transactions[-1]
    assert doubtful.status is TransactionStatus.SUCCEEDED
    assert doubtful.review is not None

    with pytest.raises(CannotReview) as refusal:
        await decide(shop, order, doubtful, D.REFUNDED_OTHERWISE)
    assert refusal.value.reason == "no_undone_refund"
