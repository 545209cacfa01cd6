"""Staff gives money back, and decides what no rule can."""

from dataclasses import replace
from typing import Any

import pytest

from order_core.errors import CannotRefund, CannotReview, InvalidValue
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Declined, Report, Succeeded
from order_core.payment import TransactionKind
from order_core.reviewing import ReviewDecision
from order_memory import reactions


async def test_a_part_of_the_money_goes_back(shop: Any) -> None:
    placed = await shop.place()
    order = await shop.core.refund(placed.id, amount=Money(1000, "EUR"), by="staff")

    assert order.status is OrderStatus.PENDING
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    assert shop.net_minor_units_at_the_provider() == 1500


async def test_incident_45_refunds_together_never_exceed_what_was_taken(shop: Any) -> None:
    placed = await shop.place()
    await shop.core.refund(placed.id, amount=Money(2000, "EUR"), by="staff")

    with pytest.raises(InvalidValue) as refusal:
        await shop.core.refund(placed.id, amount=Money(501, "EUR"), by="staff")
    assert refusal.value.code == "refund_too_large"
    order = await shop.core.refund(placed.id, by="staff")
    assert order.payment_status is PaymentStatus.REFUNDED
    with pytest.raises(CannotRefund):
        await shop.core.refund(placed.id, by="staff")
    assert shop.net_minor_units_at_the_provider() == 0


async def test_a_refund_repeated_with_its_key_is_one_refund(shop: Any) -> None:
    placed = await shop.place()
    for _ in range(3):
        await shop.core.refund(placed.id, amount=Money(1500, "EUR"), by="staff", key="r-1")

    assert shop.net_minor_units_at_the_provider() == 1000


async def test_an_unknown_refund_stays_reserved_and_is_found(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_ANSWER)
    asked = await shop.core.refund(placed.id, amount=Money(2400, "EUR"), by="staff")
    with pytest.raises(InvalidValue):
        await shop.core.refund(placed.id, amount=Money(200, "EUR"), by="staff")
    await shop.work_until()

    assert asked.refund_asked_minor_units == 2400
    assert shop.net_minor_units_at_the_provider() == 100


async def test_a_refused_part_is_asked_again_for_the_same_part(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.decline("insufficient_balance", retryable=True))
    await shop.core.refund(placed.id, amount=Money(700, "EUR"), by="staff")
    await shop.work_until()

    assert shop.net_minor_units_at_the_provider() == 1800


async def test_cancelling_after_a_part_gives_back_the_rest(shop: Any) -> None:
    placed = await shop.place()
    await shop.core.refund(placed.id, amount=Money(1000, "EUR"), by="staff")
    await shop.core.cancel(placed.id, customer_id="ann")

    assert shop.net_minor_units_at_the_provider() == 0
    shop.assert_order_and_money_agree()


@pytest.mark.parametrize("amount", [Money(0, "EUR"), Money(100, "USD")])
async def test_an_amount_that_is_no_refund_is_refused(shop: Any, amount: Money) -> None:
    placed = await shop.place()

    with pytest.raises(InvalidValue):
        await shop.core.refund(placed.id, amount=amount, by="staff")


async def test_nothing_goes_back_of_what_was_never_taken(shop: Any) -> None:
    declined = await shop.place(payment_method="declined")

    with pytest.raises(CannotRefund):
        await shop.core.refund(declined.id, by="staff")


async def _in_review(shop: Any) -> tuple[Any, str]:
    order = await shop.place(payment_method="wrong_amount")
    assert order.payment_status is PaymentStatus.IN_REVIEW
    return order, order.charge.id


async def test_a_person_accepts_another_amount_and_the_order_is_placed(shop: Any) -> None:
    order, charge = await _in_review(shop)
    accepted = await shop.core.review(
        order.id, transaction_id=charge, decision=ReviewDecision.ACCEPT, note="tip", by="staff"
    )

    assert accepted.status is OrderStatus.PENDING
    assert accepted.captured_minor_units == 2501


async def test_a_person_sends_another_amount_back_whole(shop: Any) -> None:
    order, charge = await _in_review(shop)
    refunded = await shop.core.review(
        order.id, transaction_id=charge, decision=ReviewDecision.REFUND, note="no", by="staff"
    )
    await shop.work_until()

    assert refunded.status is OrderStatus.PAYMENT_FAILED
    assert [t.kind for t in refunded.transactions] == [
        TransactionKind.CHARGE,
        TransactionKind.REFUND,
    ]
    assert (await shop.orders.get(order.id)).payment_status is PaymentStatus.REFUNDED


async def test_a_note_decides_nothing(shop: Any) -> None:
    order, charge = await _in_review(shop)
    noted = await shop.core.review(
        order.id, transaction_id=charge, decision=ReviewDecision.NOTE, note="asked them", by="s"
    )

    assert noted.payment_status is PaymentStatus.IN_REVIEW


async def test_what_is_not_in_doubt_is_not_reviewed(shop: Any) -> None:
    placed = await shop.place()

    with pytest.raises(CannotReview):
        await shop.core.review(
            placed.id,
            transaction_id=placed.charge.id,
            decision=ReviewDecision.REFUND,
            note="why not",
            by="staff",
        )


async def test_a_refused_refund_is_never_accepted_into_a_success(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.decline("account_closed"))
    stuck = await shop.core.refund(placed.id, by="staff")
    refused = stuck.transactions[-1]
    accepted = await shop.core.review(
        placed.id,
        transaction_id=refused.id,
        decision=ReviewDecision.ACCEPT,
        note="he keeps them",
        by="staff",
    )
    paid_back = await shop.core.refund(placed.id, by="staff")

    assert stuck.payment_status is PaymentStatus.IN_REVIEW
    assert accepted.payment_status is PaymentStatus.PAID
    assert paid_back.payment_status is PaymentStatus.REFUNDED
    assert shop.net_minor_units_at_the_provider() == 0


async def test_a_returned_refund_can_be_given_back_again(shop: Any) -> None:
    placed = await shop.place()
    refunded = await shop.core.refund(placed.id, by="staff")
    refund = refunded.transactions[-1]
    returned = await shop.core.settle(refunded, refund.id, Report(Declined("bank_returned_it")))

    assert returned.payment_status is PaymentStatus.IN_REVIEW
    assert (returned.refunded_minor_units, returned.refund_asked_minor_units) == (0, 0)
    again = await shop.core.settle(returned, refund.id, Report(Declined("bank_returned_it")))
    assert again.version == returned.version
    assert returned.left_of(returned.charge) == 2500


async def test_a_retried_refund_asks_for_what_is_left_by_then(shop: Any) -> None:
    placed = await shop.place()
    shop.gateway.react(reactions.decline("later", retryable=True))
    cancelled = await shop.core.cancel(placed.id, customer_id="ann")
    retried = cancelled.transactions[-1]

    assert (retried.kind, retried.amount) == (TransactionKind.REFUND, Money(2500, "EUR"))
    assert retried.attend_at > shop.clock.now()


async def test_accepting_a_doubt_about_an_open_charge_places_nothing(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    foreign = Report(Succeeded("ref-9", Money(2500, "EUR"), "another"))
    doubted = await shop.core.settle(opened, opened.charge.id, foreign)
    accepted = await shop.core.review(
        opened.id,
        transaction_id=opened.charge.id,
        decision=ReviewDecision.ACCEPT,
        note="not ours",
        by="staff",
    )

    assert doubted.payment_status is PaymentStatus.IN_REVIEW
    assert accepted.status is OrderStatus.AWAITING_PAYMENT
    assert accepted.charge.is_open


async def test_accepting_money_that_was_only_held_holds_it(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    held = Report(Authorized("ref-1", Money(2500, "EUR"), opened.charge.id))
    await shop.core.settle(opened, opened.charge.id, held)
    accepted = await shop.core.review(
        opened.id,
        transaction_id=opened.charge.id,
        decision=ReviewDecision.ACCEPT,
        note="fine",
        by="staff",
    )

    assert accepted.status is OrderStatus.PENDING
    assert accepted.payment_status is PaymentStatus.AUTHORIZED


async def test_a_review_does_not_end_with_a_refund_of_which_nothing_is_left(shop: Any) -> None:
    placed = await shop.place()
    refunded = await shop.core.refund(placed.id, by="staff")
    doubted = refunded.with_transaction(replace(refunded.charge, review="taken_twice"))
    stored = (await shop.orders.save(doubted)).order

    with pytest.raises(CannotReview) as refusal:
        await shop.core.review(
            placed.id,
            transaction_id=placed.charge.id,
            decision=ReviewDecision.REFUND,
            note="send it again",
            by="staff",
        )
    assert refusal.value.reason == "nothing_to_refund"
    assert await shop.orders.get(placed.id) == stored


async def test_a_refund_that_is_made_a_second_time_is_one_of_the_payment(shop: Any) -> None:
    placed = await shop.place()
    refunded = await shop.core.refund(placed.id, by="staff", amount=Money(900, "EUR"))
    refund = refunded.transactions[-1]

    again = Report(Succeeded("second-refund", refund.amount, refund.id))
    order = await shop.core.settle(refunded, refund.id, again)

    assert [t.parent_id for t in order.transactions[1:]] == [placed.charge.id] * 2
    assert order.refunded_minor_units == 1800
