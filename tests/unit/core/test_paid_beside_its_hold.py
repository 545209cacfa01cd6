"""An order whose money is held, and which a person lets be paid by something else."""

from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import CannotCancel, CannotProcess
from order_core.immutable import replace
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, Report, Restored, Reversed, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.reviewing import ReviewDecision
from order_memory import Standing, reactions
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide

D = ReviewDecision


async def taken_by_hand(
    shop: Any, order: Order, hold: PaymentTransaction, amount: Money
) -> tuple[Order, PaymentTransaction]:
    """Somebody captures so much of a hold at the dashboard, and the provider tells it."""
    reference = hold.provider_reference
    capture = replace(
        hold,
        id=f"by-hand-{len(shop.gateway.ledger.entries)}",
        kind=TransactionKind.CAPTURE,
        amount=amount,
        parent_reference=reference,
        provider_reference=None,
    )
    taken = replace(shop.gateway.ledger.carry_out(capture), transaction_id="")
    await Provider(shop).tells(TransactionKind.CAPTURE, taken, parent_reference=reference)
    order = await shop.orders.get(order.id)
    return order, order.transactions[-1]


async def held_again(shop: Any, order: Order) -> tuple[Order, PaymentTransaction]:
    """A second hold of the same request, beside the order's own."""
    again = replace(order.charge, provider_reference=None)
    told = shop.gateway.ledger.write(again, Standing.AUTHORIZED)
    order = await shop.core.settle(order, order.charge.id, Report(told))
    return order, order.transactions[-1]


async def paid_beside(shop: Any, amount: Money = WHOLE) -> tuple[Order, PaymentTransaction]:
    """An order with its own hold, and a capture of a second one that waits for a person."""
    order, second = await held_again(shop, await shop.place())
    order, capture = await taken_by_hand(shop, order, second, amount)
    assert (capture.review, order.charge.status) == ("not_asked_for", TransactionStatus.AUTHORIZED)
    return order, capture


def standing(shop: Any, hold: PaymentTransaction) -> Standing:
    found: Standing = shop.gateway.ledger.entry(hold.provider_reference).standing
    return found


# Its own hold is let go once something else pays it -------------------------------------------


@pytest.mark.parametrize("lost", [False, True])
async def test_accepting_another_payment_lets_its_own_hold_go(holding: Any, *, lost: bool) -> None:
    order, capture = await paid_beside(holding)
    holding.gateway.react(*[reactions.LOSE_REQUEST] * (3 if lost else 0))

    await decide(holding, order, capture, D.ACCEPT)
    await holding.work_until(passed=timedelta(hours=6))

    order = await holding.orders.get(order.id)
    assert standing(holding, order.charge) is Standing.VOIDED
    assert order.charge.status is TransactionStatus.VOIDED
    assert (order.status, order.payment_status) == (OrderStatus.PENDING, PaymentStatus.PAID)
    order = await holding.core.process(order.id, by="staff")
    assert order.status is OrderStatus.PROCESSING


async def test_a_hold_in_doubt_is_not_let_go_but_by_a_person(holding: Any) -> None:
    order, capture = await paid_beside(holding)
    mixed_up = Authorized("not-ours", order.total, "another-transaction")
    order = await holding.core.settle(order, order.charge.id, Report(mixed_up))

    order = await decide(holding, order, capture, D.ACCEPT)
    assert order.charge.status is TransactionStatus.AUTHORIZED
    order = await decide(holding, order, order.charge, D.REFUND)

    assert order.charge.status is TransactionStatus.VOIDED


async def test_its_own_hold_stays_if_what_is_accepted_does_not_pay_it(holding: Any) -> None:
    order, capture = await paid_beside(holding, PART)

    order = await decide(holding, order, capture, D.ACCEPT)

    assert order.charge.status is TransactionStatus.AUTHORIZED
    await holding.core.refund(order.id, by="staff")
    order = await holding.core.process(order.id, by="staff")
    assert order.status is OrderStatus.PROCESSING


async def test_its_own_hold_stays_if_the_bank_takes_the_other_payment_back(holding: Any) -> None:
    order, capture = await paid_beside(holding)
    back = Reversed("dp-1", WHOLE, "lost")
    provider = Provider(holding)
    await provider.tells(
        TransactionKind.REVERSAL, back, parent_reference=capture.provider_reference
    )
    order = await holding.orders.get(order.id)

    order = await decide(holding, order, order.transaction(capture.id), D.ACCEPT)

    assert order.charge.status is TransactionStatus.AUTHORIZED


async def test_a_refusal_to_let_its_own_hold_go_goes_before_a_person(holding: Any) -> None:
    order, capture = await paid_beside(holding)
    holding.gateway.react(*[reactions.decline("not_possible")] * 20)

    order = await decide(holding, order, capture, D.ACCEPT)

    assert order.charge.status is TransactionStatus.AUTHORIZED
    assert order.transactions[-1].review == "reversal_refused:not_possible"


async def test_its_own_hold_is_let_go_when_its_capture_that_was_under_way_is_refused(
    holding: Any,
) -> None:
    order, second = await held_again(holding, await holding.place())
    order = await decide(holding, order, second, D.ACCEPT)
    holding.gateway.react(reactions.WAIT)
    order = await holding.core.process(order.id, by="staff")
    under_way = order.transactions[-1].provider_reference
    order, capture = await taken_by_hand(holding, order, second, WHOLE)
    order = await decide(holding, order, capture, D.ACCEPT)
    holding.gateway.refuse(under_way)
    await holding.work_until(passed=timedelta(hours=6))

    order = await holding.orders.get(order.id)
    assert standing(holding, order.charge) is Standing.VOIDED
    assert order.captured_minor_units == 2500


@pytest.mark.parametrize("accepted", [WHOLE, PART], ids=["all of it", "a part of it"])
async def test_a_capture_that_is_done_after_another_payment_was_accepted_goes_before_a_person(
    holding: Any, accepted: Money
) -> None:
    order, second = await held_again(holding, await holding.place())
    order = await decide(holding, order, second, D.ACCEPT)
    holding.gateway.react(reactions.LOSE_ANSWER)
    await holding.core.process(order.id, by="staff")
    order, by_hand = await taken_by_hand(holding, order, second, accepted)
    await decide(holding, order, by_hand, D.ACCEPT)
    await holding.work_until(passed=timedelta(hours=6))

    order = await holding.orders.get(order.id)
    assert order.captured_minor_units == 2500 + accepted.minor_units
    assert (order.status, order.payment_status) == (OrderStatus.PENDING, PaymentStatus.IN_REVIEW)


@pytest.mark.parametrize("begun", [False, True])
async def test_a_capture_that_has_not_left_when_another_payment_is_accepted_does_not_leave(
    holding: Any, *, begun: bool
) -> None:
    order, second = await held_again(holding, await holding.place())
    order = await decide(holding, order, second, D.ACCEPT)
    holding.gateway.react(*[reactions.NOT_SEND] * 50)
    await holding.core.process(order.id, by="staff")
    order, by_hand = await taken_by_hand(holding, order, second, WHOLE)
    await decide(holding, order, by_hand, D.ACCEPT)
    holding.gateway.forget_reactions()
    if begun:
        await holding.core.process(order.id, by="staff")
        await holding.core.refund(order.id, by="staff")
    await holding.work_until(passed=timedelta(hours=6))

    order = await holding.orders.get(order.id)
    assert order.captured_minor_units == 2500
    assert standing(holding, order.charge) is Standing.VOIDED or begun
    assert order.payment_status is (PaymentStatus.REFUNDED if begun else PaymentStatus.PAID)


async def _not_wanted_any_more(shop: Any, *reaction: Any) -> Order:
    """An order whose capture met this, and of which a person then accepted another payment."""
    order, second = await held_again(shop, await shop.place())
    order = await decide(shop, order, second, D.ACCEPT)
    shop.gateway.react(*reaction)
    await shop.core.process(order.id, by="staff")
    order, by_hand = await taken_by_hand(shop, order, second, WHOLE)
    return await decide(shop, order, by_hand, D.ACCEPT)


async def test_a_capture_that_has_not_left_and_is_not_wanted_is_in_nobodys_way(
    holding: Any,
) -> None:
    order = await _not_wanted_any_more(holding, *[reactions.NOT_SEND] * 50)
    holding.gateway.forget_reactions()
    await holding.core.cancel(order.id, customer_id="ann")
    await holding.work_until(passed=timedelta(hours=6))

    order = await holding.orders.get(order.id)
    assert order.captured_minor_units == order.refunded_minor_units == 2500
    assert standing(holding, order.charge) is Standing.VOIDED
    assert order.attend_at is None


@pytest.mark.parametrize("reaction", [reactions.LOSE_REQUEST, reactions.LOSE_ANSWER])
async def test_a_capture_that_may_have_left_is_waited_for_though_it_is_not_wanted(
    holding: Any, reaction: Any
) -> None:
    order = await _not_wanted_any_more(holding, reaction)

    with pytest.raises(CannotCancel) as refusal:
        await holding.core.cancel(order.id, customer_id="ann")
    assert refusal.value.reason == "capture_in_progress"


async def test_a_capture_that_was_counted_before_its_process_died_is_waited_for(
    holding: Any,
) -> None:
    order = await _not_wanted_any_more(holding, *[reactions.NOT_SEND] * 50)
    capture = next(t for t in order.transactions if t.kind is TransactionKind.CAPTURE)
    counted = order.with_transaction(capture.sending(holding.clock.now()))
    order = (await holding.orders.save(counted)).order

    with pytest.raises(CannotCancel):
        await holding.core.cancel(order.id, customer_id="ann")


async def test_a_capture_that_is_wanted_is_waited_for_also_before_it_leaves(holding: Any) -> None:
    order = await holding.place()
    holding.gateway.react(*[reactions.NOT_SEND] * 50)
    await holding.core.process(order.id, by="staff")

    with pytest.raises(CannotCancel):
        await holding.core.cancel(order.id, customer_id="ann")


async def test_a_second_hold_that_was_accepted_is_let_go_once_the_order_is_paid(
    holding: Any,
) -> None:
    order, second = await held_again(holding, await holding.place())
    order = await decide(holding, order, second, D.ACCEPT)
    assert standing(holding, second) is Standing.AUTHORIZED

    await holding.core.process(order.id, by="staff")
    await holding.work_until(passed=timedelta(minutes=5))

    order = await holding.orders.get(order.id)
    assert standing(holding, second) is Standing.VOIDED
    assert (order.status, order.captured_minor_units) == (OrderStatus.PROCESSING, 2500)


async def test_its_own_hold_is_let_go_before_its_end_if_a_dispute_is_won_after_the_decision(
    holding: Any,
) -> None:
    order, capture = await paid_beside(holding)
    provider, reference = Provider(holding), capture.provider_reference
    disputed = Reversed("dp-1", WHOLE, "disputed", open=True)
    await provider.tells(TransactionKind.REVERSAL, disputed, parent_reference=reference)
    order = await holding.orders.get(order.id)
    await decide(holding, order, order.transaction(capture.id), D.ACCEPT)
    order = await holding.orders.get(order.id)
    assert order.charge.status is TransactionStatus.AUTHORIZED
    await decide(holding, order, order.transactions[-1], D.DISPUTE_WON)
    await holding.work_until(passed=timedelta(days=6, hours=12))

    order = await holding.orders.get(order.id)
    assert standing(holding, order.charge) is Standing.VOIDED


@pytest.mark.parametrize("reaction", [reactions.NOT_SEND, reactions.LOSE_REQUEST])
async def test_its_own_hold_is_let_go_though_a_void_of_it_that_was_not_wanted_never_arrived(
    holding: Any, reaction: Any
) -> None:
    order, capture = await paid_beside(holding)
    holding.gateway.react(*[reaction] * 200)
    order = await decide(holding, order, capture, D.ACCEPT)
    void = order.transactions[-1]
    provider, reference = Provider(holding), capture.provider_reference
    disputed = Reversed("dp-1", WHOLE, "disputed", open=True)
    await provider.tells(TransactionKind.REVERSAL, disputed, parent_reference=reference)
    await holding.work_until(passed=timedelta(days=1))
    order = await holding.orders.get(order.id)
    assert (void.kind, void.is_open) == (TransactionKind.VOID, True)
    assert order.transaction(void.id).status is TransactionStatus.FAILED
    holding.gateway.forget_reactions()
    won = Restored("dp-1", WHOLE, "won")
    await provider.tells(TransactionKind.REVERSAL, won, parent_reference=reference)
    await holding.work_until(passed=timedelta(days=5, hours=12))

    assert standing(holding, order.charge) is Standing.VOIDED


@pytest.mark.parametrize("told", [False, True])
async def test_a_dispute_that_is_won_after_its_own_hold_was_taken_goes_before_a_person(
    holding: Any, *, told: bool
) -> None:
    order, capture = await paid_beside(holding)
    provider, reference = Provider(holding), capture.provider_reference
    disputed = Reversed("dp-1", WHOLE, "disputed", open=True)
    await provider.tells(TransactionKind.REVERSAL, disputed, parent_reference=reference)
    order = await holding.orders.get(order.id)
    dispute = order.transactions[-1]
    for doubtful in (capture, dispute):
        await decide(holding, order, doubtful, D.ACCEPT)
    order = await holding.core.process(order.id, by="staff")
    assert (order.status, order.captured_minor_units) == (OrderStatus.PROCESSING, 5000)

    if told:
        won = Restored("dp-1", WHOLE, "won")
        await provider.tells(TransactionKind.REVERSAL, won, parent_reference=reference)
        order = await holding.orders.get(order.id)
    else:
        order = await decide(holding, order, dispute, D.DISPUTE_WON)

    assert order.transactions[-1].review == "paid_already"
    order = await decide(holding, order, order.transactions[-1], D.REFUND)
    assert order.captured_minor_units - order.refunded_minor_units == 2500
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED


async def test_a_refusal_to_let_its_own_hold_go_that_a_person_accepted_is_not_asked_for_again(
    holding: Any,
) -> None:
    order, capture = await paid_beside(holding)
    holding.gateway.react(*[reactions.decline("not_possible")] * 20)
    order = await decide(holding, order, capture, D.ACCEPT)
    order = await decide(holding, order, order.transactions[-1], D.ACCEPT)
    await holding.work_until(passed=timedelta(days=6, hours=12))

    order = await holding.orders.get(order.id)
    assert [t.kind for t in order.transactions].count(TransactionKind.VOID) == 1
    assert order.payment_status is PaymentStatus.PAID


# What does not cover its price begins no order --------------------------------------------------


@pytest.mark.parametrize("beside", [False, True])
async def test_a_capture_by_hand_of_less_than_it_costs_begins_no_order(
    holding: Any, *, beside: bool
) -> None:
    if beside:
        order, capture = await paid_beside(holding, PART)
    else:
        order = await holding.place()
        order, capture = await taken_by_hand(holding, order, order.charge, PART)
    order = await decide(holding, order, capture, D.ACCEPT)

    with pytest.raises(CannotProcess) as refusal:
        await holding.core.process(order.id, by="staff")

    assert refusal.value.reason == "unpaid"


async def test_captures_by_hand_that_cover_its_price_together_begin_it(holding: Any) -> None:
    order = await holding.place()
    for amount in (PART, Money(1800, "EUR")):
        order, capture = await taken_by_hand(holding, order, order.charge, amount)
        order = await decide(holding, order, capture, D.ACCEPT)

    order = await holding.core.process(order.id, by="staff")

    assert order.status is OrderStatus.PROCESSING


async def test_a_capture_by_hand_that_is_told_while_ours_is_under_way_is_on_record_beside_the_next(
    holding: Any,
) -> None:
    order = await holding.place()
    holding.gateway.react(reactions.LOSE_REQUEST)
    order = await holding.core.process(order.id, by="staff")
    ours = order.transactions[-1]
    order, last = await taken_by_hand(holding, order, order.charge, PART)
    assert (last.id, last.is_open) == (ours.id, True)
    refused = Report(Declined("capture_exceeds_authorization"))
    order = await holding.core.settle(order, ours.id, refused)
    order, _ = await taken_by_hand(holding, order, order.charge, Money(1800, "EUR"))

    await holding.work_until(passed=timedelta(hours=6))

    order = await holding.orders.get(order.id)
    assert sorted(t.amount.minor_units for t in order.payments) == [700, 1800]


async def test_an_order_of_which_a_part_was_given_back_before_is_begun(holding: Any) -> None:
    order = await holding.place()
    order, capture = await taken_by_hand(holding, order, order.charge, WHOLE)
    order = await decide(holding, order, capture, D.ACCEPT)
    await holding.core.refund(order.id, by="staff", amount=PART)

    order = await holding.core.process(order.id, by="staff")

    assert order.status is OrderStatus.PROCESSING


async def test_what_a_person_accepted_as_its_own_payment_is_what_it_costs(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    less = Report(Succeeded("ref-1", Money(2400, "EUR"), opened.charge.id))
    order = await shop.core.settle(opened, opened.charge.id, less)
    order = await decide(shop, order, order.charge, D.ACCEPT)

    order = await shop.core.process(order.id, by="staff")

    assert order.status is OrderStatus.PROCESSING


@pytest.mark.parametrize("disputed", [False, True])
async def test_a_capture_that_went_back_while_it_was_under_way_begins_no_order(
    holding: Any, *, disputed: bool
) -> None:
    order = await holding.place()
    holding.gateway.react(reactions.WAIT)
    order = await holding.core.process(order.id, by="staff")
    capture = order.transactions[-1]
    holding.gateway.settle(capture.provider_reference)
    kind = TransactionKind.REVERSAL if disputed else TransactionKind.REFUND
    back = Reversed("back-1", WHOLE, "disputed") if disputed else Succeeded("back-1", WHOLE, "")
    await Provider(holding).tells(kind, back, transaction_id=capture.id)

    await holding.work_until(passed=timedelta(hours=6))

    order = await holding.orders.get(order.id)
    assert order.transaction(capture.id).status is TransactionStatus.SUCCEEDED
    assert order.status is OrderStatus.PENDING
