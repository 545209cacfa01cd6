"""What is told of refunds without our mark, where nobody can ask the provider whose it is."""

from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotReview
from order_core.money import Money
from order_core.order import Order
from order_core.outcomes import Declined, Reversed, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.refunds_nobody_saw import accepted_unseen, given_up, told
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide, without_look_ups

D = ReviewDecision
REFUND = TransactionKind.REFUND
REST = Money(1800, "EUR")


async def and_another(shop: Any, order: Order, amount: Money, *, accepted: bool = True) -> Order:
    """The order with one more refund that nobody saw, and that was accepted, perhaps."""
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 400)
    await shop.core.refund(order.id, by="staff", amount=amount)
    await shop.work_until(passed=timedelta(days=20))
    shop.gateway.forget_reactions()
    order = await shop.orders.get(order.id)
    last = order.transactions[-1]
    assert last.is_given_up
    return await decide(shop, order, last, D.ACCEPT) if accepted else order


def about(refund: PaymentTransaction, *, marked: bool = False) -> dict[str, Any]:
    mark = {"transaction_id": refund.id} if marked else {}
    return {"parent_reference": refund.parent_reference, **mark}


def refunds(order: Order) -> list[PaymentTransaction]:
    return [t for t in order.transactions if t.kind is REFUND]


async def test_what_was_told_before_a_refund_was_asked_for_is_not_about_that(shop: Any) -> None:
    """The first one's refusal is kept, for nobody knows yet if it is that of the first."""
    order, first, provider = await given_up(shop, named=False, part=PART)
    no = Declined("refused", reference="re-1")
    assert await provider.tells(REFUND, no, **about(first)) == "unknown_transaction"
    shop.clock.advance(timedelta(hours=1))
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 400)
    order = await decide(shop, order, first, D.NEVER_HAPPENED)
    await shop.work_until(passed=timedelta(days=20))
    order = await shop.orders.get(order.id)
    (again,) = [t for t in order.transactions if t.is_given_up]
    assert again.id != first.id
    await decide(shop, order, again, D.ACCEPT)
    await shop.assembled().match()
    order = await shop.orders.get(order.id)

    assert order.refunded_minor_units == 700
    assert not [t for t in order.transactions if t.kind is TransactionKind.REVERSAL]


@pytest.mark.parametrize("refused", [PART, REST])
async def test_of_several_sums_a_person_says_which_one_was_refused(
    shop: Any, refused: Money
) -> None:
    """A refusal is told with no sum."""
    order, first, provider = await accepted_unseen(shop, named=False, part=PART)
    order = await and_another(shop, order, REST)
    no = Declined("refused", reference="re-1")
    for _ in range(2):
        await provider.tells(REFUND, no, **about(first))
    order = await shop.orders.get(order.id)
    ours = [t for t in refunds(order) if t.amount.minor_units]

    assert [t.review for t in ours] == ["one_of_several_was_refused"] * 2
    assert order.refunded_minor_units == 2500
    for refund in ours:
        wrong = refund.amount == refused
        order = await decide(shop, order, refund, D.NEVER_HAPPENED if wrong else D.ACCEPT)
    assert order.left_of(order.charge) == refused.minor_units
    (back,) = [t for t in order.transactions if t.review]
    assert (back.kind, back.amount) == (TransactionKind.REVERSAL, refused)
    shop.gateway.react(reactions.LOSE_ANSWER)
    order = await decide(shop, order, back, D.REFUND)
    assert order.transactions[-1].amount == refused


async def test_told_by_our_mark_as_well_it_is_that_one(shop: Any) -> None:
    order, first, provider = await accepted_unseen(shop, named=False, part=PART)
    order = await and_another(shop, order, REST)
    second = order.transactions[-1]
    no = Declined("refused", reference="re-2")
    for marked in (False, True, True, False):
        await provider.tells(REFUND, no, **about(second, marked=marked))
    order = await shop.orders.get(order.id)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (700, 1800)
    assert len([t for t in order.transactions if t.kind is TransactionKind.REVERSAL]) == 1
    assert order.transaction(first.id).review == "one_of_several_was_refused"


async def test_what_came_back_of_another_sum_is_ours_if_there_is_room_for_one(shop: Any) -> None:
    """It was made in part, and that came back before anybody heard of its making."""
    order, refund, provider = await accepted_unseen(shop, named=False, cancelled=True)
    for _ in range(2):
        await provider.tells(REFUND, Reversed("re-1", PART, "failed"), **about(refund))
    order = await told(shop, provider, refund, PART, marked=False)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (0, 2500)
    shop.gateway.react(reactions.LOSE_ANSWER)
    back = next(t for t in order.transactions if t.kind is TransactionKind.REVERSAL)
    order = await decide(shop, order, back, D.REFUND)
    assert order.refund_asked_minor_units == 2500


@pytest.mark.parametrize("days", [0, 20])
async def test_of_another_sum_while_ours_is_open_it_waits_for_what_a_person_says(
    shop: Any, days: int
) -> None:
    provider = Provider(without_look_ups(shop))
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 400)
    await shop.core.cancel(placed.id, customer_id="ann")
    refund = (await shop.orders.get(placed.id)).transactions[-1]
    await shop.work_until(passed=timedelta(days=days))
    await provider.tells(REFUND, Succeeded("re-1", PART, ""), **about(refund))
    await shop.work_until(passed=timedelta(days=21))
    order = await shop.orders.get(placed.id)
    doubtful = [t for t in order.transactions if t.review]
    assert [t.id for t in doubtful] == [refund.id]
    order = await decide(shop, order, refund, D.ACCEPT)

    assert (order.refunded_minor_units, order.transactions[-1].amount) == (700, REST)


async def test_of_a_sum_that_neither_of_two_had_it_waits_for_the_last_without_a_name(
    shop: Any,
) -> None:
    order, first, provider = await accepted_unseen(shop, named=False, part=PART)
    order = await and_another(shop, order, REST)
    odd = Succeeded("re-2", Money(1500, "EUR"), "")
    assert await provider.tells(REFUND, odd, **about(first)) == "unknown_transaction"
    await told(shop, provider, first, PART, marked=False)
    await shop.assembled().match()
    order = await shop.orders.get(order.id)

    assert order.refunded_minor_units == 2200
    assert [t.provider_reference for t in refunds(order)] == ["re-1", "re-2"]


async def test_what_has_come_back_is_not_made_again_while_another_waits(shop: Any) -> None:
    order, first, provider = await accepted_unseen(shop, named=False, cancelled=True)
    failed = Reversed("re-1", WHOLE, "failed")
    await provider.tells(REFUND, failed, **about(first, marked=True))
    order = await shop.orders.get(order.id)
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 400)
    await decide(shop, order, order.transactions[-1], D.REFUND)
    await shop.work_until(passed=timedelta(days=20))
    order = await told(shop, provider, first, WHOLE, marked=False, reference="re-2")
    second = order.transactions[-1]
    assert order.transaction(first.id).provider_reference is None
    assert second.is_given_up
    await decide(shop, order, second, D.ACCEPT)
    await shop.assembled().match()
    order = await told(shop, provider, first, WHOLE, marked=True, reference="re-1")

    assert order.refunded_minor_units == 2500
    assert [t.provider_reference for t in refunds(order)] == ["re-1", "re-2"]
    await provider.tells(REFUND, Reversed("re-2", WHOLE, "failed"), **about(first))
    order = await shop.orders.get(order.id)
    assert (order.refunded_minor_units, order.left_of(order.charge)) == (0, 2500)


@pytest.mark.parametrize("undone", [True, False])
async def test_a_word_with_our_mark_takes_back_a_name_that_was_anothers(
    shop: Any, *, undone: bool
) -> None:
    """Of two of one sum, the second's making is told first, and taken for the first's."""
    order, first, provider = await accepted_unseen(shop, named=False, part=PART)
    order = await and_another(shop, order, PART)
    second = order.transactions[-1]
    await told(shop, provider, second, PART, marked=False, reference="re-2")
    word: Any = Succeeded("re-1", PART, first.id)
    if undone:
        word = Declined("refused", reference="re-1")
    for _ in range(2):
        await provider.tells(REFUND, word, **about(first, marked=True))
    order = await told(shop, provider, second, PART, marked=True, reference="re-2")

    assert order.refunded_minor_units == (700 if undone else 1400)
    assert [t.provider_reference for t in refunds(order)] == ["re-1", "re-2"]


@pytest.mark.parametrize("known", [True, False])
async def test_a_refund_at_the_dashboard_that_was_taken_for_ours_is_one_beside_it(
    shop: Any, *, known: bool
) -> None:
    order, refund, provider = await accepted_unseen(shop, named=False, cancelled=True)
    await told(shop, provider, refund, PART, marked=False, reference="by-hand")
    word: Any = Reversed("re-1", WHOLE, "failed")
    if known:
        word = Declined("failed", reference="re-1")
    for _ in range(2):
        await provider.tells(REFUND, word, **about(refund, marked=True))
    order = await shop.orders.get(order.id)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (700, 1800)
    assert order.transaction(refund.id).review is None
    shop.gateway.react(reactions.LOSE_ANSWER)
    back = next(t for t in order.transactions if t.kind is TransactionKind.REVERSAL)
    order = await decide(shop, order, back, D.REFUND)
    assert order.transactions[-1].amount == REST


@pytest.mark.parametrize("looks_up", [True, False])
async def test_a_return_by_its_own_name_before_its_making_is_that_of_ours(
    shop: Any, *, looks_up: bool
) -> None:
    provider = Provider(shop if looks_up else without_look_ups(shop))
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_REQUEST)
    await shop.core.cancel(placed.id, customer_id="ann")
    refund = (await shop.orders.get(placed.id)).transactions[-1]
    back = Reversed("back-1", WHOLE, "returned")
    await provider.tells(REFUND, back, **about(refund, marked=True))
    before = await shop.orders.get(placed.id)
    await told(shop, provider, refund, WHOLE, marked=True)
    after = await told(shop, provider, refund, WHOLE, marked=True)

    assert before.refunded_minor_units == 0
    assert after == before
    assert after.transactions[-1].is_open


async def test_a_return_by_its_own_name_is_that_of_the_refund_that_was_seen(shop: Any) -> None:
    """If nothing is left of the payment for another one."""
    provider = Provider(without_look_ups(shop))
    placed = await shop.place()
    await shop.core.cancel(placed.id, customer_id="ann")
    order = await shop.orders.get(placed.id)
    refund = order.transactions[-1]
    assert order.refunded_minor_units == 2500
    for _ in range(2):
        await provider.tells(REFUND, Reversed("back-1", WHOLE, "returned"), **about(refund))
    order = await shop.orders.get(placed.id)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (0, 2500)
    with pytest.raises(CannotReview):
        await decide(shop, order, refund, D.REFUND)
    shop.gateway.react(reactions.LOSE_ANSWER)
    order = await decide(shop, order, order.transactions[-1], D.REFUND)
    assert order.refund_asked_minor_units == 2500
    await provider.tells(REFUND, Reversed("back-1", WHOLE, "returned"), **about(refund))
    assert await shop.orders.get(placed.id) == order


async def test_what_came_back_by_a_name_that_was_anothers_is_that_of_one_of_them(shop: Any) -> None:
    order, first, provider = await accepted_unseen(shop, named=False, part=PART)
    order = await and_another(shop, order, PART)
    second = order.transactions[-1]
    await told(shop, provider, second, PART, marked=False, reference="re-2")
    back = Reversed("re-2", PART, "returned")
    await provider.tells(REFUND, back, **about(second))
    await told(shop, provider, first, PART, marked=True, reference="re-1")
    await provider.tells(REFUND, back, **about(second))
    order = await shop.orders.get(order.id)

    assert (order.refunded_minor_units, len(refunds(order))) == (700, 2)


async def test_a_return_told_again_is_not_that_of_the_refund_that_was_made_instead(
    shop: Any,
) -> None:
    provider = Provider(without_look_ups(shop))
    placed = await shop.place()
    shop.gateway.react(reactions.WAIT)
    await shop.core.cancel(placed.id, customer_id="ann")
    first = (await shop.orders.get(placed.id)).transactions[-1]
    back = Reversed(first.provider_reference or "", WHOLE, "returned")
    await provider.tells(REFUND, back, **about(first))
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(placed.id)
    again = Succeeded("re-2", WHOLE, order.transactions[-1].id)
    await provider.tells(REFUND, again, **about(order.transactions[-1], marked=True))
    order = await shop.orders.get(placed.id)
    assert order.refunded_minor_units == 2500
    await provider.tells(REFUND, back, **about(first))

    assert await shop.orders.get(placed.id) == order
