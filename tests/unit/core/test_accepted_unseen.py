"""A person says that money was taken which nobody saw, and the provider says no after all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotProcess
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, NotFound, Report, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureLate, CaptureMode
from order_core.reviewing import ReviewDecision
from order_memory import Standing, reactions
from tests.unit.core.telling_and_deciding import WHOLE, Provider, decide, without_look_ups

D = ReviewDecision


async def accepted_unseen(shop: Any) -> Order:
    """An order whose charge, or hold, stands by a person's word alone."""
    without_look_ups(shop)
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    order = await shop.place()
    await shop.work_until(passed=timedelta(days=1))
    shop.gateway.forget_reactions()
    order = await shop.orders.get(order.id)
    assert order.charge.review == "provider_has_no_look_up"
    return await decide(shop, order, order.charge, D.ACCEPT)


async def accepted_in_another_account(shop: Any) -> Order:
    """For a while the account was another one, while a charge of ours was pending."""
    shop.gateway.react(reactions.WAIT)
    order = await shop.place()

    async def in_another_account(_transaction: Any, /) -> Any:
        return NotFound(by_id=True)

    shop.gateway.look_up = in_another_account
    await shop.work_until(passed=timedelta(days=2))
    order = await shop.orders.get(order.id)
    return await decide(shop, order, order.charge, D.ACCEPT)


async def refused(shop: Any, order: Order, of: Any) -> Order:
    """Its event says that it was refused."""
    no = Declined("refused", reference="psp-1")
    await Provider(shop).tells(of.kind, no, transaction_id=of.id)
    told: Order = await shop.orders.get(order.id)
    return told


async def test_a_charge_that_is_refused_after_all_goes_before_a_person_and_is_not_given_back(
    shop: Any,
) -> None:
    order = await accepted_unseen(shop)
    assert (order.status, order.payment_status) == (OrderStatus.PENDING, PaymentStatus.PAID)
    for _ in range(2):
        order = await refused(shop, order, order.charge)

    no = order.transactions[-1]
    assert (no.kind, no.review) == (TransactionKind.REVERSAL, "refused_after_all:refused")
    assert len(order.transactions) == 2
    assert (order.status, order.charge.status) == (OrderStatus.PENDING, TransactionStatus.SUCCEEDED)
    with pytest.raises(CannotProcess):
        await shop.core.process(order.id, by="staff")
    order = await shop.core.cancel(order.id, customer_id="ann")
    assert order.refund_asked_minor_units == 0


@pytest.mark.parametrize("taken", [False, True])
async def test_a_person_says_whether_it_was_taken(shop: Any, *, taken: bool) -> None:
    order = await accepted_unseen(shop)
    order = await refused(shop, order, order.charge)
    order = await decide(shop, order, order.transactions[-1], D.DISPUTE_WON if taken else D.ACCEPT)
    # What is told once more is known.
    order = await refused(shop, order, order.charge)

    assert order.payment_status is PaymentStatus.PAID
    assert order.left_of(order.charge) == (2500 if taken else 0)
    if taken:
        order = await shop.core.process(order.id, by="staff")
        assert order.status is OrderStatus.PROCESSING


@pytest.mark.parametrize("word", [D.ACCEPT, D.DISPUTE_LOST, D.DISPUTE_WON, D.NOTE])
@pytest.mark.parametrize("cancelled", [False, True])
async def test_what_was_refused_is_there_again_once_the_provider_shows_it_taken(
    shop: Any, *, word: ReviewDecision, cancelled: bool
) -> None:
    order = await accepted_unseen(shop)
    order = await refused(shop, order, order.charge)
    order = await decide(shop, order, order.transactions[-1], word)
    if cancelled:
        await shop.core.cancel(order.id, customer_id="ann")
    provider = Provider(shop)
    for _ in range(2):
        taken = Succeeded("psp-2", WHOLE, order.charge.id)
        await provider.tells(order.charge.kind, taken, transaction_id=order.charge.id)
    # Of what was shown, the refusal of another try is no news.
    order = await refused(shop, await shop.orders.get(order.id), order.charge)

    owed = 2500 if cancelled else 0
    assert order.refund_asked_minor_units == owed
    assert order.left_of(order.charge) == 2500 - owed
    assert (order.payment_status is PaymentStatus.IN_REVIEW) is (word is D.NOTE)


async def test_a_refund_of_it_that_waited_for_that_is_the_only_one(shop: Any) -> None:
    order = await accepted_unseen(shop)
    await shop.core.cancel(order.id, customer_id="ann")
    order = await refused(shop, order, order.charge)
    taken = Succeeded("psp-2", WHOLE, order.charge.id)
    await Provider(shop).tells(order.charge.kind, taken, transaction_id=order.charge.id)
    order = await shop.orders.get(order.id)

    assert order.refund_asked_minor_units == 2500
    assert sum(t.kind is TransactionKind.REFUND for t in order.transactions) == 1


async def test_what_the_provider_has_shown_since_is_not_doubted(shop: Any) -> None:
    order = await accepted_unseen(shop)
    shown = Report(Succeeded("psp-1", WHOLE, order.charge.id))
    order = await shop.core.settle(order, order.charge.id, shown)

    assert await refused(shop, order, order.charge) == order


@pytest.mark.parametrize("shown", [False, True])
async def test_of_what_was_pending_only_its_own_refusal_is_about_it(
    shop: Any, *, shown: bool
) -> None:
    order = await accepted_in_another_account(shop)
    own = order.charge.provider_reference or ""
    other = Report(Declined("refused", reference="another-try"))
    assert await shop.core.settle(order, order.charge.id, other) == order
    if shown:
        taken = Report(Succeeded(own, WHOLE, order.charge.id))
        order = await shop.core.settle(order, order.charge.id, taken)
    no = Report(Declined("refused", reference=own))
    order = await shop.core.settle(order, order.charge.id, no)

    assert (order.payment_status is PaymentStatus.IN_REVIEW) is not shown


@pytest.mark.parametrize("minor_units", [2000, 3000])
async def test_what_is_shown_with_another_amount_goes_before_a_person_and_is_booked_so(
    shop: Any, minor_units: int
) -> None:
    order = await accepted_in_another_account(shop)
    own, amount = order.charge.provider_reference or "", Money(minor_units, "EUR")
    taken = Report(Succeeded(own, amount, order.charge.id))
    for _ in range(2):
        order = await shop.core.settle(order, order.charge.id, taken)

    assert order.charge.review == f"amount_differs:{amount}"
    assert (order.captured_minor_units, len(order.transactions)) == (minor_units, 1)
    order = await decide(shop, order, order.charge, D.ACCEPT)
    assert await shop.core.settle(order, order.charge.id, taken) == order
    shop.gateway.react(reactions.LOSE_REQUEST)
    order = await shop.core.cancel(order.id, customer_id="ann")
    assert order.refund_asked_minor_units == minor_units


@pytest.mark.parametrize("capture", list(CaptureMode))
async def test_so_is_what_the_provider_had_not_named_and_it_is_no_second_payment(
    make_shop: Callable[..., Any], capture: CaptureMode
) -> None:
    shop = make_shop(capture=capture)
    order = await accepted_unseen(shop)
    amount, held = Money(2501, "EUR"), capture is CaptureMode.ON_PROCESSING
    shown = (Authorized if held else Succeeded)("psp-1", amount, order.charge.id)
    for _ in range(2):
        order = await shop.core.settle(order, order.charge.id, Report(shown))

    assert [t.amount for t in order.transactions] == [amount]
    assert order.charge.review == f"amount_differs:{amount}"
    order = await decide(shop, order, order.charge, D.ACCEPT)
    order = await shop.core.cancel(order.id, customer_id="ann")
    back = order.transactions[-1]
    assert (back.parent_reference, back.amount) == ("psp-1", amount)


@pytest.mark.parametrize(
    ("is_refused", "shown"),
    [(True, Money(2000, "EUR")), (True, Money(3000, "EUR")), (False, Money(2000, "EUR"))],
)
async def test_what_is_shown_in_its_place_or_beside_it_goes_back_with_its_order(
    shop: Any, shown: Money, *, is_refused: bool
) -> None:
    """In the place of more than there is to give back it would be kept."""
    order = await accepted_unseen(shop)
    if is_refused:
        order = await refused(shop, order, order.charge)
        order = await decide(shop, order, order.transactions[-1], D.DISPUTE_LOST)
    order = await shop.core.cancel(order.id, customer_id="ann")
    shop.gateway.ledger.write(order.charge, Standing.SUCCEEDED, amount=shown)
    taken = Report(Succeeded("ref-000001", shown, order.charge.id))
    order = await shop.core.settle(order, order.charge.id, taken)
    await shop.work_until(passed=timedelta(days=2))

    assert shop.net_minor_units_at_the_provider() == 0


async def test_what_was_refused_and_is_shown_by_its_name_with_another_amount_is_there_again(
    shop: Any,
) -> None:
    order = await accepted_in_another_account(shop)
    own, more = order.charge.provider_reference or "", Money(3000, "EUR")
    no = Report(Declined("refused", reference=own))
    order = await shop.core.settle(order, order.charge.id, no)
    assert order.left_of(order.charge) == 0
    taken = Report(Succeeded(own, more, order.charge.id))
    order = await shop.core.settle(order, order.charge.id, taken)

    assert order.left_of(order.charge) == 3000
    assert order.charge.review == f"amount_differs:{more}"


@pytest.mark.parametrize("amount", [Money(2500, "USD"), Money(2000, "EUR"), Money(3000, "EUR")])
async def test_a_hold_of_another_amount_is_not_taken_before_a_person_has_decided(
    make_shop: Callable[..., Any], amount: Money
) -> None:
    late = {"capture": CaptureMode.ON_PROCESSING, "capture_late": CaptureLate.CAPTURE}
    shop = make_shop(**late)
    order = await accepted_unseen(shop)
    ends = shop.clock.now() + timedelta(days=7)
    held = Report(Authorized("psp-1", amount, order.charge.id, ends))
    order = await shop.core.settle(order, order.charge.id, held)
    await shop.work_until(passed=timedelta(days=8))
    order = await shop.orders.get(order.id)

    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert not any(t.kind is TransactionKind.CAPTURE for t in order.transactions)
    assert order.status is OrderStatus.PENDING


async def test_what_was_asked_back_of_what_had_no_name_is_asked_of_what_is_shown(
    shop: Any,
) -> None:
    order = await accepted_unseen(shop)
    order = await shop.core.cancel(order.id, customer_id="ann")
    shown = Report(Succeeded("psp-1", Money(2501, "EUR"), order.charge.id))
    order = await shop.core.settle(order, order.charge.id, shown)

    assert order.charge.review == "amount_differs:25.01 EUR"
    assert [t.parent_reference for t in order.transactions] == [None, "psp-1"]


async def test_of_more_than_was_asked_back_an_order_that_ended_gives_back_the_rest(
    shop: Any,
) -> None:
    order = await accepted_unseen(shop)
    order = await shop.core.cancel(order.id, customer_id="ann")
    shown = Report(Succeeded("psp-1", Money(2501, "EUR"), order.charge.id))
    order = await shop.core.settle(order, order.charge.id, shown)
    assert (order.captured_minor_units, order.refund_asked_minor_units) == (2501, 2500)
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 2)
    order = await decide(shop, order, order.charge, D.ACCEPT)

    assert (order.captured_minor_units, order.refund_asked_minor_units) == (2501, 2501)
    assert order.payment_status is not PaymentStatus.IN_REVIEW


async def test_of_which_a_refund_was_refused_the_rest_is_decided_about_there(shop: Any) -> None:
    order = await accepted_unseen(shop)
    order = await shop.core.cancel(order.id, customer_id="ann")
    refund = order.transactions[-1]
    order = await shop.core.settle(order, refund.id, Report(Declined("account_closed")))
    assert order.transaction(refund.id).review == "reversal_refused:account_closed"
    shown = Report(Succeeded("psp-1", Money(2501, "EUR"), order.charge.id))
    order = await shop.core.settle(order, order.charge.id, shown)
    order = await decide(shop, order, order.charge, D.ACCEPT)

    assert [t.kind for t in order.transactions].count(TransactionKind.REFUND) == 1
    assert order.left_of(order.charge) == 2501


async def test_what_was_asked_back_of_it_stands_beside_the_amount_that_is_shown(shop: Any) -> None:
    order = await accepted_in_another_account(shop)
    shop.gateway.react(reactions.LOSE_REQUEST)
    order = await shop.core.refund(order.id, by="staff")
    own, cent = order.charge.provider_reference or "", Money(1, "EUR")
    less = Report(Succeeded(own, cent, order.charge.id))
    order = await shop.core.settle(order, order.charge.id, less)

    assert order.charge.review == "amount_differs:0.01 EUR"
    assert (order.captured_minor_units, order.refund_asked_minor_units) == (2500, 2500)


async def test_that_it_is_only_held_does_not_show_it_taken(shop: Any) -> None:
    accepted = await accepted_in_another_account(shop)
    own, ends = accepted.charge.provider_reference, shop.clock.now() + timedelta(days=7)
    held = Report(Authorized(own or "", WHOLE, accepted.charge.id, ends))
    order = await shop.core.settle(accepted, accepted.charge.id, held)

    # Nothing is to be done about a hold that is none: looked after, it would be so for ever.
    assert (order, order.attend_at) == (accepted, None)
    order = await shop.core.settle(order, order.charge.id, Report(Declined("no", reference=own)))
    assert order.payment_status is PaymentStatus.IN_REVIEW


async def test_a_capture_that_is_refused_after_all_goes_before_a_person(
    make_shop: Callable[..., Any],
) -> None:
    shop = without_look_ups(make_shop(capture=CaptureMode.ON_PROCESSING))
    order = await shop.place()
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.core.process(order.id, by="staff")
    await shop.work_until(passed=timedelta(days=1))
    order = await shop.orders.get(order.id)
    capture = order.transactions[-1]
    order = await decide(shop, order, capture, D.ACCEPT)
    order = await refused(shop, order, capture)

    assert order.transactions[-1].parent_id == capture.id
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert order.left_of(order.transaction(capture.id)) == 0


async def test_a_hold_that_is_refused_after_all_is_none(make_shop: Callable[..., Any]) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await accepted_unseen(shop)
    assert order.payment_status is PaymentStatus.AUTHORIZED
    order = await refused(shop, order, order.charge)

    assert order.payment_status is PaymentStatus.UNPAID
    assert order.charge.status is TransactionStatus.VOIDED
    held = Report(Authorized("psp-1", WHOLE, order.charge.id))
    order = await shop.core.settle(order, order.charge.id, held)
    assert order.payment_status is PaymentStatus.IN_REVIEW


async def test_so_does_one_that_nobody_asked_for_and_that_the_provider_had_named(
    make_shop: Callable[..., Any],
) -> None:
    """Made because the hold was about to end, and answered; how it ended was never told."""
    late = make_shop(capture=CaptureMode.ON_PROCESSING, capture_late=CaptureLate.CAPTURE)
    shop = without_look_ups(late)
    await shop.place()
    shop.gateway.react(reactions.WAIT)
    await shop.work_until(passed=timedelta(days=30))
    [order] = shop.all_orders
    capture = order.transactions[-1]
    assert (capture.kind, capture.review) == (TransactionKind.CAPTURE, "provider_has_no_look_up")
    order = await decide(shop, order, capture, D.ACCEPT)
    no = Report(Declined("refused", reference=capture.provider_reference))
    order = await shop.core.settle(order, capture.id, no)

    assert order.payment_status is PaymentStatus.IN_REVIEW
    with pytest.raises(CannotProcess):
        await shop.core.process(order.id, by="staff")


async def test_the_end_of_such_a_hold_is_not_kept_for_one_that_nobody_has_told(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await accepted_unseen(shop)
    provider, expired = Provider(shop), Declined("expired", reference="psp-1")
    about = {"transaction_id": order.charge.id, "parent_reference": "psp-1"}

    assert await provider.tells(order.charge.kind, expired, **about) == "settled"
    assert await provider.tells(order.charge.kind, expired, **about) == "no_news"
    order = await shop.orders.get(order.id)
    assert order.charge.status is TransactionStatus.VOIDED
    assert shop.orders.store.unmatched() == ()


async def test_its_beginning_told_after_its_end_makes_no_other_hold(
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await accepted_unseen(shop)
    provider, about = Provider(shop), {"transaction_id": order.charge.id}
    expired = Declined("expired", reference="psp-1")
    await provider.tells(order.charge.kind, expired, parent_reference="psp-1", **about)
    await provider.tells(order.charge.kind, Authorized("psp-1", WHOLE, order.charge.id), **about)
    order = await shop.orders.get(order.id)

    assert [t.status for t in order.transactions] == [TransactionStatus.VOIDED]
    assert order.payment_status is PaymentStatus.UNPAID


async def test_that_of_a_hold_beside_one_that_was_let_go_is(make_shop: Callable[..., Any]) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    order = await accepted_unseen(shop)
    order = await shop.core.cancel(order.id, customer_id="ann")
    void = order.transactions[-1]
    order = await shop.core.settle(order, void.id, Report(Succeeded("v-1", WHOLE, void.id)))
    assert order.charge.status is TransactionStatus.VOIDED
    about = {"transaction_id": order.charge.id, "parent_reference": "psp-2"}
    expired = Declined("expired", reference="psp-2")

    verdict = await Provider(shop).tells(order.charge.kind, expired, **about)
    assert verdict == "unknown_transaction"


@pytest.mark.parametrize("capture", list(CaptureMode))
async def test_what_the_provider_never_named_is_asked_back_once_and_then_a_person_hears(
    make_shop: Callable[..., Any], capture: CaptureMode
) -> None:
    shop = make_shop(capture=capture)
    order = await accepted_unseen(shop)
    order = await shop.core.cancel(order.id, customer_id="ann")
    back = order.transactions[-1]
    await shop.work_until(passed=timedelta(days=10))
    order = await shop.orders.get(order.id)

    assert order.transactions[1:] == (order.transaction(back.id),)
    assert order.transactions[1].review == "reversal_refused:never_reached_the_provider"
    assert order.attend_at is None


async def test_named_by_then_it_is_given_back_once_that_person_says_so(shop: Any) -> None:
    order = await accepted_unseen(shop)
    await shop.core.cancel(order.id, customer_id="ann")
    await shop.work_until(passed=timedelta(days=10))
    order = await shop.orders.get(order.id)
    shown = Report(Succeeded("psp-1", WHOLE, order.charge.id))
    order = await shop.core.settle(order, order.charge.id, shown)
    assert order.left_of(order.charge) == 2500
    shop.gateway.react(reactions.LOSE_ANSWER)
    order = await decide(shop, order, order.transactions[-1], D.REFUND)

    back = order.transactions[-1]
    assert (back.kind, back.parent_reference) == (TransactionKind.REFUND, "psp-1")
    assert order.refund_asked_minor_units == 2500
