"""What becomes of a refund that a person has decided about."""

from datetime import timedelta
from typing import Any

import pytest

from order_core.order import PaymentStatus
from order_core.outcomes import Declined, NotFound, Report, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide, without_look_ups

D = ReviewDecision


async def test_a_refund_that_a_person_accepted_unseen_may_fail_yet(shop: Any) -> None:
    shop = without_look_ups(shop)
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(placed.id)
    refund = order.transactions[-1]
    order = await decide(shop, order, refund, D.ACCEPT)
    assert order.payment_status is PaymentStatus.REFUNDED

    failed = Report(Declined("account_closed", reference="re-9"))
    order = await shop.core.settle(order, refund.id, failed)

    assert order.refunded_minor_units == 0
    assert order.payment_status is PaymentStatus.IN_REVIEW


@pytest.mark.parametrize("name", ["re-9", None])
async def test_what_came_back_of_such_a_refund_stays_back_when_its_making_is_told_late(
    shop: Any, name: str | None
) -> None:
    shop = without_look_ups(shop)
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
    await shop.core.cancel(placed.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(placed.id)
    refund = order.transactions[-1]
    order = await decide(shop, order, refund, D.ACCEPT)
    failed = Report(Declined("account_closed", reference=name))
    order = await shop.core.settle(order, refund.id, failed)
    # Its buyer gets the money by bank transfer.
    order = await decide(shop, order, order.transactions[-1], D.ACCEPT)

    made = Report(Succeeded("re-9", refund.amount, refund.id))
    told = await shop.core.settle(order, refund.id, made)

    assert len(told.transactions) == len(order.transactions)
    assert told.refunded_minor_units == 0
    assert told.refunded_otherwise_minor_units == 2500


async def _refund_that_is_not_known_there(shop: Any) -> tuple[Any, Any]:
    """For a while the account was another one, while a refund of ours was pending."""
    placed = await shop.place()
    shop.gateway.react(reactions.WAIT)
    await shop.core.cancel(placed.id, customer_id="ann")
    look_up = shop.gateway.look_up

    async def in_another_account(_transaction: Any, /) -> Any:
        return NotFound(by_id=True)

    shop.gateway.look_up = in_another_account
    await shop.work_until(passed=timedelta(days=2))
    shop.gateway.look_up = look_up
    order = await shop.orders.get(placed.id)
    refund = order.transactions[-1]
    assert (refund.review, bool(refund.provider_reference)) == ("not_in_this_account", True)
    return order, refund


async def _told(shop: Any, provider: Provider, order: Any, refund: Any) -> Any:
    """Its event names the refund by the provider's reference alone."""
    shop.gateway.settle(refund.provider_reference)
    done = Succeeded(refund.provider_reference, refund.amount, "")
    parent = order.charge.provider_reference
    await provider.tells(TransactionKind.REFUND, done, parent_reference=parent)
    return await shop.orders.get(order.id)


async def test_what_becomes_of_a_refund_that_was_given_up_is_heard(shop: Any) -> None:
    provider = Provider(shop)
    order, refund = await _refund_that_is_not_known_there(shop)
    order = await _told(shop, provider, order, refund)

    assert order.payment_status is PaymentStatus.REFUNDED


async def test_a_refund_that_a_person_called_never_made_is_counted_when_it_is_told(
    shop: Any,
) -> None:
    provider = Provider(shop)
    order, refund = await _refund_that_is_not_known_there(shop)
    order = await decide(shop, order, refund, D.NEVER_HAPPENED)
    order = await _told(shop, provider, order, refund)

    assert order.refunded_minor_units == 2500
    assert order.payment_status is PaymentStatus.IN_REVIEW


@pytest.mark.parametrize("by_our_id", [False, True])
@pytest.mark.parametrize("returned", [False, True])
async def test_a_refund_that_was_made_after_all_may_fail_yet(
    shop: Any, *, returned: bool, by_our_id: bool
) -> None:
    provider = Provider(shop)
    order, refund = await _refund_that_is_not_known_there(shop)
    order = await decide(shop, order, refund, D.NEVER_HAPPENED)
    order = await _told(shop, provider, order, refund)
    reference = refund.provider_reference
    undone: Any = Declined("account_closed", reference=reference)
    if returned:
        undone = Reversed(reference, refund.amount, "account_closed")
    named = {"transaction_id": refund.id} if by_our_id else {}
    for _ in range(2):
        await provider.tells(
            TransactionKind.REFUND,
            undone,
            parent_reference=order.charge.provider_reference,
            **named,
        )
        order = await shop.orders.get(order.id)

        assert order.refunded_minor_units == 0
        returns = [t for t in order.transactions if t.kind is TransactionKind.REVERSAL]
        assert [bool(t.review) for t in returns] == [True]


async def test_a_refund_that_was_called_never_made_and_failed_is_not_counted_when_it_is_told(
    shop: Any,
) -> None:
    provider = Provider(shop)
    order, refund = await _refund_that_is_not_known_there(shop)
    order = await decide(shop, order, refund, D.NEVER_HAPPENED)
    failed = Declined("account_closed", reference=refund.provider_reference)
    parent = order.charge.provider_reference
    await provider.tells(TransactionKind.REFUND, failed, parent_reference=parent)
    order = await _told(shop, provider, order, refund)

    assert order.refunded_minor_units == 0


@pytest.mark.parametrize("by_our_id", [False, True])
@pytest.mark.parametrize("status", ["pending", "cancelled"])
async def test_a_refund_that_was_made_in_part_may_fail_yet(
    shop: Any, status: str, *, by_our_id: bool
) -> None:
    provider = Provider(shop)
    placed = await shop.place()
    shop.gateway.react(*[reactions.WAIT] * 2)
    if status == "cancelled":
        order = await shop.core.cancel(placed.id, customer_id="ann")
    else:
        order = await shop.core.refund(placed.id, by="staff")
    refund = order.transactions[-1]
    reference, parent = refund.provider_reference, order.charge.provider_reference
    part = Report(Succeeded(reference, PART, refund.id))
    await shop.core.settle(order, refund.id, part)
    named = {"transaction_id": refund.id} if by_our_id else {}
    failed = Reversed(reference, PART, "account_closed")
    for _ in range(2):
        await provider.tells(TransactionKind.REFUND, failed, parent_reference=parent, **named)
    order = await shop.orders.get(order.id)
    assert order.transaction(refund.id).review == "refund_returned:account_closed"
    assert order.left_of(order.charge) == 2500
    order = await decide(shop, order, order.transaction(refund.id), D.REFUND)

    asked = WHOLE if status == "cancelled" else PART
    assert order.refund_asked_minor_units == asked.minor_units


@pytest.mark.parametrize("decision", [D.ACCEPT, D.REFUNDED_OTHERWISE])
async def test_of_one_that_was_made_in_part_and_failed_the_rest_goes_back_beside_what_was_settled(
    shop: Any, decision: ReviewDecision
) -> None:
    """Its buyer has the part another way: nobody else asks for the rest of a cancelled order."""
    provider = Provider(shop)
    placed = await shop.place()
    shop.gateway.react(*[reactions.WAIT] * 2)
    order = await shop.core.cancel(placed.id, customer_id="ann")
    refund = order.transactions[-1]
    reference, parent = refund.provider_reference, order.charge.provider_reference
    await shop.core.settle(order, refund.id, Report(Succeeded(reference, PART, refund.id)))
    failed = Declined("account_closed", reference=reference)
    await provider.tells(TransactionKind.REFUND, failed, parent_reference=parent)
    order = await shop.orders.get(order.id)
    order = await decide(shop, order, order.transaction(refund.id), decision)

    assert order.refunded_otherwise_minor_units == 700
    assert order.refund_asked_minor_units == 1800
