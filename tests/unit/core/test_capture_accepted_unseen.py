"""A person says that a hold was taken, which nobody saw, and the provider tells what it was."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.outcomes import Declined, Restored, Reversed, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide, without_look_ups

D = ReviewDecision
CAPTURE, VOID = TransactionKind.CAPTURE, TransactionKind.VOID


@pytest.fixture
def holding(make_shop: Callable[..., Any]) -> Any:
    return make_shop(capture=CaptureMode.ON_PROCESSING)


async def given_up(shop: Any, *, named: bool) -> tuple[Order, PaymentTransaction, Provider]:
    """An order with a capture that is a person's to decide about: nobody can ask about it."""
    provider = Provider(without_look_ups(shop))
    order = await shop.place()
    shop.gateway.react(reactions.WAIT if named else reactions.LOSE_ANSWER)
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.process(order.id, by="staff")
    await shop.work_until(passed=timedelta(days=30))
    shop.gateway.forget_reactions()
    order = await shop.orders.get(order.id)
    capture = next(t for t in order.transactions if t.kind is CAPTURE)
    assert capture.review == "provider_has_no_look_up"
    assert (capture.provider_reference is not None) is named
    return order, capture, provider


async def accepted_unseen(shop: Any, *, named: bool) -> tuple[Order, PaymentTransaction, Provider]:
    """An order whose hold counts as taken by a person's word alone."""
    order, capture, provider = await given_up(shop, named=named)
    order = await decide(shop, order, capture, D.ACCEPT)
    return order, order.transaction(capture.id), provider


async def told(
    shop: Any, provider: Provider, capture: PaymentTransaction, outcome: Any, **mark: str
) -> Order:
    """Its event names the hold that it was made of."""
    await provider.tells(CAPTURE, outcome, parent_reference=capture.parent_reference, **mark)
    order: Order = await shop.orders.get(capture.order_id)
    return order


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("amount", [WHOLE, PART])
async def test_shown_without_our_mark_it_is_seen(
    holding: Any, *, named: bool, amount: Money
) -> None:
    order, capture, provider = await accepted_unseen(holding, named=named)
    reference = capture.provider_reference or "cap-1"
    for _ in range(2):
        shown = Succeeded(reference, amount, "")
        order = await told(holding, provider, capture, shown)

    assert order.captured_minor_units == amount.minor_units
    assert [t.kind for t in order.transactions].count(CAPTURE) == 1
    assert (order.payment_status is PaymentStatus.IN_REVIEW) is (amount == PART)
    # What was shown is not doubted because another try was refused.
    again = await told(holding, provider, capture, Declined("refused", reference=reference))
    assert again == order


@pytest.mark.parametrize("named", [True, False])
async def test_its_refusal_without_our_mark_goes_before_a_person(
    holding: Any, *, named: bool
) -> None:
    order, capture, provider = await accepted_unseen(holding, named=named)
    no = Declined("refused", reference=capture.provider_reference or "cap-1")
    for _ in range(2):
        order = await told(holding, provider, capture, no)

    assert order.transactions[-1].review == "refused_after_all:refused"
    assert order.left_of(order.transaction(capture.id)) == 0


@pytest.mark.parametrize("named", [True, False])
async def test_that_its_hold_ended_says_that_it_was_not_taken(holding: Any, *, named: bool) -> None:
    order, capture, provider = await accepted_unseen(holding, named=named)
    held = order.charge.provider_reference or ""
    about = {"transaction_id": order.charge.id, "parent_reference": held}
    for _ in range(2):
        await provider.tells(order.charge.kind, Declined("expired", reference=held), **about)
    order = await holding.orders.get(order.id)

    doubt = order.transactions[-1]
    assert (doubt.parent_id, doubt.review) == (capture.id, "refused_after_all:expired")
    assert len(order.transactions) == 3
    shown = Succeeded(capture.provider_reference or "cap-1", WHOLE, capture.id)
    order = await told(holding, provider, capture, shown, transaction_id=capture.id)
    assert order.left_of(order.transaction(capture.id)) == 2500


async def hold_told_to_end(shop: Any, provider: Provider, order: Order) -> Order:
    """What was taken may be a part of it: then its rest ends, and that may be told first."""
    held = order.charge.provider_reference or ""
    about = {"transaction_id": order.charge.id, "parent_reference": held}
    await provider.tells(order.charge.kind, Declined("expired", reference=held), **about)
    ended: Order = await shop.orders.get(order.id)
    return ended


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("amount", [PART, Money(3000, "EUR")])
async def test_shown_with_another_amount_after_its_hold_ended_so_much_is_there_again(
    holding: Any, *, amount: Money, cancelled: bool
) -> None:
    order, capture, provider = await accepted_unseen(holding, named=True)
    await hold_told_to_end(holding, provider, order)
    if cancelled:
        order = await holding.core.cancel(order.id, customer_id="ann")
        assert order.refund_asked_minor_units == 0
    holding.gateway.react(*[reactions.LOSE_REQUEST] * 9)
    for _ in range(2):
        shown = Succeeded(capture.provider_reference or "", amount, capture.id)
        order = await told(holding, provider, capture, shown, transaction_id=capture.id)

    assert order.captured_minor_units == amount.minor_units
    assert order.transaction(capture.id).review == f"amount_differs:{amount}"
    if not cancelled:
        assert order.left_of(order.transaction(capture.id)) == amount.minor_units
        await decide(holding, order, order.transaction(capture.id), D.ACCEPT)
        order = await holding.core.cancel(order.id, customer_id="ann")
    assert order.refund_asked_minor_units == amount.minor_units


async def test_shown_with_another_amount_beside_what_was_paid_since_a_person_hears_of_both(
    holding: Any,
) -> None:
    order, capture, provider = await accepted_unseen(holding, named=True)
    order = await hold_told_to_end(holding, provider, order)
    again = Succeeded("psp-2", WHOLE, order.charge.id)
    await provider.tells(order.charge.kind, again, transaction_id=order.charge.id)
    order = await holding.orders.get(order.id)
    order = await decide(holding, order, order.transactions[-1], D.ACCEPT)
    assert order.is_paid
    shown = Succeeded(capture.provider_reference or "", PART, capture.id)
    order = await told(holding, provider, capture, shown, transaction_id=capture.id)

    assert order.captured_minor_units == 2500 + 700
    assert order.transaction(capture.id).review == "amount_differs:7.00 EUR"
    assert order.transactions[-1].review == "paid_already"


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("word", [D.DISPUTE_WON, D.DISPUTE_LOST, None])
async def test_refused_without_a_name_it_is_the_one_that_is_shown_with_less(
    holding: Any, *, word: ReviewDecision | None, cancelled: bool
) -> None:
    """It may be the refusal of another capture, by hand, that was taken for its own."""
    order, capture, provider = await accepted_unseen(holding, named=False)
    holding.gateway.react(*[reactions.LOSE_REQUEST] * 9)
    order = await told(holding, provider, capture, Declined("refused", reference="by-hand"))
    if cancelled and word is not D.DISPUTE_WON:
        await holding.core.cancel(order.id, customer_id="ann")
    if word is not None:
        order = await decide(holding, order, order.transactions[-1], word)
    for _ in range(2):
        shown = Succeeded("cap-1", PART, capture.id)
        order = await told(holding, provider, capture, shown, transaction_id=capture.id)

    assert order.captured_minor_units == 700
    assert order.transaction(capture.id).review == "amount_differs:7.00 EUR"
    if cancelled and word is D.DISPUTE_WON:
        await decide(holding, order, order.transaction(capture.id), D.ACCEPT)
        order = await holding.core.cancel(order.id, customer_id="ann")
    assert order.refund_asked_minor_units == (700 if cancelled else 0)


@pytest.mark.parametrize("end", [None, Restored, Reversed])
async def test_disputed_without_a_name_it_is_the_one_that_is_shown_with_less(
    holding: Any, *, end: type[Restored | Reversed] | None
) -> None:
    """The dispute names the hold, and of one that is won nothing is gone."""
    order, capture, provider = await accepted_unseen(holding, named=False)
    words: list[Any] = [Reversed("dp-1", PART, "fraud", open=True)]
    words += [end("dp-1", PART, "decided")] if end else []
    for word in words:
        about = {"parent_reference": capture.parent_reference}
        await provider.tells(TransactionKind.REVERSAL, word, **about)
    for _ in range(2):
        shown = Succeeded("cap-1", PART, capture.id)
        order = await told(holding, provider, capture, shown, transaction_id=capture.id)

    assert order.captured_minor_units == 700
    assert order.left_of(order.transaction(capture.id)) == (700 if end is Restored else 0)


async def test_that_another_try_of_its_hold_was_declined_says_nothing(holding: Any) -> None:
    order, _, provider = await accepted_unseen(holding, named=False)
    other = Declined("card_declined", reference="try-1")
    await provider.tells(order.charge.kind, other, transaction_id=order.charge.id)

    assert await holding.orders.get(order.id) == order


async def test_that_its_hold_ended_says_nothing_of_one_that_was_shown(holding: Any) -> None:
    order, capture, provider = await accepted_unseen(holding, named=False)
    shown = Succeeded("cap-1", WHOLE, capture.id)
    order = await told(holding, provider, capture, shown, transaction_id=capture.id)
    held = order.charge.provider_reference or ""
    about = {"transaction_id": order.charge.id, "parent_reference": held}
    await provider.tells(order.charge.kind, Declined("expired", reference=held), **about)

    assert await holding.orders.get(order.id) == order


async def test_that_its_hold_was_let_go_by_hand_says_that_it_was_not_taken(holding: Any) -> None:
    order, capture, provider = await accepted_unseen(holding, named=False)
    let_go = Succeeded("void-1", WHOLE, "")
    for _ in range(2):
        await provider.tells(VOID, let_go, parent_reference=order.charge.provider_reference)
    order = await holding.orders.get(order.id)

    doubts = {t.kind: t.review for t in order.transactions if t.review}
    assert doubts == {
        VOID: "not_asked_for",
        TransactionKind.REVERSAL: "refused_after_all:voided_unasked",
    }
    assert order.left_of(order.transaction(capture.id)) == 0


async def test_a_cancelled_order_gives_nothing_back_of_it_meanwhile(holding: Any) -> None:
    order, capture, provider = await accepted_unseen(holding, named=False)
    held = order.charge.provider_reference or ""
    about = {"transaction_id": order.charge.id, "parent_reference": held}
    await provider.tells(order.charge.kind, Declined("expired", reference=held), **about)
    order = await holding.orders.get(order.id)

    assert order.refund_asked_minor_units == 0
    order = await decide(holding, order, order.transactions[-1], D.DISPUTE_LOST)
    assert order.left_of(order.transaction(capture.id)) == 0
    assert order.transaction(capture.id).status is TransactionStatus.SUCCEEDED


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("by_hand", [False, True])
async def test_accepted_after_its_hold_has_ended_it_is_a_persons_once_more(
    holding: Any, *, cancelled: bool, by_hand: bool
) -> None:
    order, capture, provider = await given_up(holding, named=False)
    held = order.charge.provider_reference or ""
    if by_hand:
        await provider.tells(VOID, Succeeded("void-1", WHOLE, ""), parent_reference=held)
    else:
        about = {"transaction_id": order.charge.id, "parent_reference": held}
        await provider.tells(order.charge.kind, Declined("expired", reference=held), **about)
    if cancelled:
        await holding.core.cancel(order.id, customer_id="ann")
    await holding.core.match()
    order = await holding.orders.get(order.id)
    order = await decide(holding, order, capture, D.ACCEPT)

    because = "voided" if by_hand else "expired"
    assert order.transactions[-1].review == f"refused_after_all:{because}"
    assert (order.left_of(order.transaction(capture.id)), order.refund_asked_minor_units) == (0, 0)
    order = await decide(holding, order, order.transactions[-1], D.DISPUTE_WON)
    back = order.refund_asked_minor_units
    assert back + order.left_of(order.transaction(capture.id)) == 2500
    assert (back == 2500) is cancelled


async def test_its_refusal_told_before_it_was_accepted_is_heard_afterwards(holding: Any) -> None:
    order, capture, provider = await given_up(holding, named=False)
    about = {"parent_reference": capture.parent_reference}
    no = Declined("refused", reference="cap-1")
    assert await provider.tells(CAPTURE, no, **about) == "unknown_transaction"
    await decide(holding, order, capture, D.ACCEPT)
    await holding.core.match()
    order = await holding.orders.get(order.id)

    assert order.transactions[-1].review == "refused_after_all:refused"


async def test_its_refusal_is_no_news_once_a_person_has_said_that_it_never_happened(
    holding: Any,
) -> None:
    order, capture, provider = await given_up(holding, named=False)
    about = {"parent_reference": capture.parent_reference}
    await provider.tells(CAPTURE, Declined("refused", reference="cap-1"), **about)
    decided = await decide(holding, order, capture, D.NEVER_HAPPENED)
    await holding.core.match()

    assert holding.orders.store.unmatched() == ()
    order = await holding.orders.get(order.id)
    assert order.transactions == decided.transactions
