"""A person says that a refund was made which nobody saw, and the provider tells what it was."""

from typing import Any

import pytest

from order_core.events import PutInReview
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.outcomes import Declined, Reversed
from order_core.payment import TransactionKind, TransactionStatus
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.refunds_nobody_saw import accepted_unseen, given_up, told
from tests.unit.core.telling_and_deciding import PART, WHOLE, decide

D = ReviewDecision
REFUND = TransactionKind.REFUND


async def reviews(shop: Any, order: Order) -> list[str]:
    """Every doubt that was put before a person."""
    history = await shop.core.history(order.id, customer_id="ann")
    return [h.event.reason for h in history if isinstance(h.event, PutInReview)]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("marked", [True, False])
async def test_of_less_than_was_accepted_that_is_booked_and_a_person_decides(
    shop: Any, *, named: bool, marked: bool
) -> None:
    order, refund, provider = await accepted_unseen(shop, named=named)
    assert order.refunded_minor_units == 2500
    for _ in range(2):
        order = await told(shop, provider, refund, PART, marked=marked)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (700, 1800)
    assert order.transaction(refund.id).review == "amount_differs:7.00 EUR"
    assert [t.kind for t in order.transactions].count(REFUND) == 1
    order = await decide(shop, order, order.transaction(refund.id), D.ACCEPT)
    again = await told(shop, provider, refund, PART, marked=marked)
    assert again == order
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    assert order.refund_asked_minor_units == 700


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("marked", [True, False])
async def test_an_order_that_ended_gives_back_the_rest_once_a_person_has_seen_it(
    shop: Any, *, named: bool, marked: bool
) -> None:
    order, refund, provider = await accepted_unseen(shop, named=named, cancelled=True)
    order = await told(shop, provider, refund, PART, marked=marked)
    assert order.refund_asked_minor_units == 700
    shop.gateway.react(reactions.LOSE_ANSWER)
    order = await decide(shop, order, order.transaction(refund.id), D.ACCEPT)

    assert order.refund_asked_minor_units == 2500
    rest = order.transactions[-1]
    assert (rest.kind, rest.amount) == (REFUND, Money(1800, "EUR"))
    assert order.attend_at is not None


@pytest.mark.parametrize("named", [True, False])
async def test_of_more_than_was_accepted_the_rest_is_booked_beside_it_and_a_person_decides(
    shop: Any, *, named: bool
) -> None:
    order, refund, provider = await accepted_unseen(shop, named=named, part=PART)
    for _ in range(2):
        order = await told(shop, provider, refund, Money(900, "EUR"), marked=True)

    assert (order.refunded_minor_units, order.refund_asked_minor_units) == (900, 700)
    assert (await reviews(shop, order))[1:] == ["amount_differs:9.00 EUR"]
    assert order.left_of(order.charge) == 1600


@pytest.mark.parametrize("named", [True, False])
async def test_another_currency_is_a_persons_and_books_nothing_else(
    shop: Any, *, named: bool
) -> None:
    order, refund, provider = await accepted_unseen(shop, named=named)
    for _ in range(2):
        order = await told(shop, provider, refund, Money(700, "USD"), marked=True)

    assert order.transaction(refund.id).review == "amount_differs:7.00 USD"
    assert (len(order.transactions), order.refunded_minor_units) == (2, 2500)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("marked", [True, False])
async def test_shown_as_it_was_accepted_it_is_not_doubted_any_more(
    shop: Any, *, named: bool, marked: bool
) -> None:
    order, refund, provider = await accepted_unseen(shop, named=named)
    order = await told(shop, provider, refund, WHOLE, marked=marked)
    # Whatever that was: the provider has said what this refund is.
    again = await told(shop, provider, order.transaction(refund.id), PART, marked=marked)

    assert again == order
    assert order.payment_status is PaymentStatus.REFUNDED


@pytest.mark.parametrize("named", [True, False])
async def test_what_came_back_of_it_stays_back_whatever_sum_is_told_of_its_making(
    shop: Any, *, named: bool
) -> None:
    order, refund, provider = await accepted_unseen(shop, named=named, cancelled=True)
    reference = refund.provider_reference or "re-1"
    mark = {"transaction_id": refund.id, "parent_reference": refund.parent_reference}
    await provider.tells(REFUND, Declined("account_closed", reference=reference), **mark)
    before = await shop.orders.get(order.id)
    assert before.refunded_minor_units == 0
    order = await told(shop, provider, refund, PART, marked=True)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (0, 2500)
    assert len(order.transactions) == len(before.transactions)


@pytest.mark.parametrize("returned", [True, False])
async def test_what_was_made_in_part_may_come_back_yet(shop: Any, *, returned: bool) -> None:
    order, refund, provider = await accepted_unseen(shop, named=False, cancelled=True)
    order = await told(shop, provider, refund, PART, marked=True)
    undone: Any = Declined("account_closed", reference="re-1")
    if returned:
        undone = Reversed("re-1", PART, "account_closed")
    about = {"transaction_id": refund.id, "parent_reference": refund.parent_reference}
    for _ in range(2):
        await provider.tells(REFUND, undone, **about)
    order = await shop.orders.get(order.id)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (0, 2500)


@pytest.mark.parametrize("first", [REFUND, TransactionKind.REVERSAL])
async def test_what_came_back_of_a_part_is_decided_about_by_itself(
    shop: Any, first: TransactionKind
) -> None:
    """Its buyer gets that part by bank transfer, and the rest through the provider."""
    order, refund, provider = await accepted_unseen(shop, named=False, cancelled=True)
    order = await told(shop, provider, refund, PART, marked=True)
    about = {"transaction_id": refund.id, "parent_reference": refund.parent_reference}
    await provider.tells(REFUND, Declined("account_closed", reference="re-1"), **about)
    order = await shop.orders.get(order.id)
    shop.gateway.react(reactions.LOSE_ANSWER)
    for doubtful in sorted(
        [t for t in order.transactions if t.review], key=lambda t: t.kind != first
    ):
        order = await decide(shop, order, doubtful, D.ACCEPT)

    assert order.refunded_otherwise_minor_units == 700
    assert order.transactions[-1].amount == Money(1800, "EUR")
    assert order.left_of(order.charge) == 0


async def test_told_before_a_person_has_decided_it_is_booked_as_it_was_done(shop: Any) -> None:
    order, refund, provider = await given_up(shop, named=False, cancelled=True)
    order = await told(shop, provider, refund, PART, marked=True)
    order = await decide(shop, order, order.transaction(refund.id), D.ACCEPT)

    assert order.refunded_minor_units + order.transactions[-1].amount.minor_units == 2500


async def test_told_by_the_payment_alone_before_it_the_rest_is_asked_for_once_it_is_accepted(
    shop: Any,
) -> None:
    """Nothing of the payment was left for two: what a person takes for ours is what was told."""
    order, refund, provider = await given_up(shop, named=False, cancelled=True)
    order = await told(shop, provider, refund, PART, marked=False)
    shop.gateway.react(reactions.LOSE_ANSWER)
    for doubtful in [t for t in order.transactions if t.review]:
        order = await decide(shop, order, doubtful, D.ACCEPT)

    assert order.refunded_minor_units == 700
    assert order.left_of(order.charge) == 0
    assert order.transactions[-1].amount == Money(1800, "EUR")


async def test_one_at_the_dashboard_for_which_there_is_room_is_another(shop: Any) -> None:
    order, refund, provider = await accepted_unseen(shop, named=False, part=PART)
    order = await told(shop, provider, refund, Money(500, "EUR"), marked=False)

    assert order.refunded_minor_units == 1200
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    order = await told(shop, provider, refund, PART, marked=True, reference="re-2")
    assert order.refunded_minor_units == 1200
    assert order.transaction(refund.id).provider_reference == "re-2"


async def test_of_two_of_the_same_sum_each_is_told_by_its_own_name(shop: Any) -> None:
    order, first, provider = await accepted_unseen(shop, named=False, part=PART)
    shop.gateway.react(reactions.LOSE_REQUEST)
    order = await shop.core.refund(order.id, by="staff", amount=PART)
    second = order.transactions[-1]
    order = await told(shop, provider, second, PART, marked=True, reference="re-2")
    order = await told(shop, provider, first, Money(400, "EUR"), marked=True, reference="re-1")

    assert order.refunded_minor_units == 1100
    assert order.transaction(first.id).review == "amount_differs:4.00 EUR"
    assert order.transaction(second.id).status is TransactionStatus.SUCCEEDED


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("returned", [True, False])
async def test_its_refusal_without_our_mark_goes_before_a_person(
    shop: Any, *, named: bool, returned: bool
) -> None:
    order, refund, provider = await accepted_unseen(shop, named=named, cancelled=True)
    reference = refund.provider_reference or "re-1"
    undone: Any = Declined("account_closed", reference=reference)
    if returned:
        undone = Reversed(reference, WHOLE, "account_closed")
    for _ in range(2):
        await provider.tells(REFUND, undone, parent_reference=refund.parent_reference)
    order = await shop.orders.get(order.id)

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (0, 2500)
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert len(order.transactions) == 3
    shop.gateway.react(reactions.LOSE_ANSWER)
    order = await decide(shop, order, order.transactions[-1], D.REFUND)
    assert order.refund_asked_minor_units == 2500


async def test_its_refusal_told_before_it_was_accepted_is_heard_afterwards(shop: Any) -> None:
    order, refund, provider = await given_up(shop, named=False, cancelled=True)
    about = {"parent_reference": refund.parent_reference}
    no = Declined("account_closed", reference="re-1")
    assert await provider.tells(REFUND, no, **about) == "unknown_transaction"
    await decide(shop, order, refund, D.ACCEPT)
    await shop.core.match()
    order = await shop.orders.get(order.id)

    assert (order.refunded_minor_units, order.payment_status) == (0, PaymentStatus.IN_REVIEW)


async def test_while_another_is_on_its_way_its_refusal_waits_for_that(shop: Any) -> None:
    order, first, provider = await accepted_unseen(shop, named=False, part=PART)
    shop.gateway.react(reactions.LOSE_ANSWER, *[reactions.LOSE_REQUEST] * 200)
    order = await shop.core.refund(order.id, by="staff", amount=PART)
    about = {"parent_reference": first.parent_reference}
    no = Declined("account_closed", reference="re-1")

    assert await provider.tells(REFUND, no, **about) == "unknown_transaction"
    assert (await shop.orders.get(order.id)).refunded_minor_units == 700


async def test_made_under_another_name_than_was_refused_it_is_there_once(shop: Any) -> None:
    """What was refused was a late echo of its request, which the provider did not know any more."""
    order, refund, provider = await accepted_unseen(shop, named=False, cancelled=True)
    about = {"transaction_id": refund.id, "parent_reference": refund.parent_reference}
    await provider.tells(REFUND, Declined("refund_exceeds_capture", reference="re-2"), **about)
    order = await told(shop, provider, refund, WHOLE, marked=True, reference="re-1")

    assert (order.refunded_minor_units, order.left_of(order.charge)) == (2500, 0)
    assert order.payment_status is PaymentStatus.IN_REVIEW
