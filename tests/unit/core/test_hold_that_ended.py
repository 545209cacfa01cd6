"""A hold that ended, and what is heard of it afterwards."""

from typing import Any

from order_core.order import PaymentStatus
from order_core.outcomes import Authorized, Declined, Report, Succeeded
from order_core.payment import TransactionKind, TransactionStatus


async def ended(holding: Any) -> Any:
    placed = await holding.place()
    end = Declined("voided", reference=placed.charge.provider_reference)
    return await holding.core.settle(placed, placed.charge.id, Report(end))


async def test_a_hold_that_ended_is_not_held_again_by_old_news(holding: Any) -> None:
    order = await ended(holding)
    hold = order.charge

    old = Report(Authorized(hold.provider_reference, hold.amount, hold.id))
    after = await holding.core.settle(order, hold.id, old)

    assert hold.status is TransactionStatus.VOIDED
    assert after.transactions == order.transactions


async def test_another_hold_for_the_same_request_goes_before_a_person(holding: Any) -> None:
    order = await ended(holding)
    hold = order.charge

    other = Report(Authorized("another-payment", hold.amount, hold.id))
    after = await holding.core.settle(order, hold.id, other)

    assert [(t.status, t.review) for t in after.transactions[1:]] == [
        (TransactionStatus.AUTHORIZED, "not_asked_for")
    ]


async def test_a_second_hold_beside_one_that_stands_goes_before_a_person(holding: Any) -> None:
    placed = await holding.place()

    other = Report(Authorized("another-payment", placed.total, placed.charge.id))
    after = await holding.core.settle(placed, placed.charge.id, other)
    again = await holding.core.settle(after, placed.charge.id, other)

    assert [(t.status, t.review) for t in after.transactions] == [
        (TransactionStatus.AUTHORIZED, None),
        (TransactionStatus.AUTHORIZED, "not_asked_for"),
    ]
    assert again == after


async def test_money_that_was_taken_of_a_hold_that_ended_goes_before_a_person(
    holding: Any,
) -> None:
    order = await ended(holding)
    hold = order.charge

    taken = Report(Succeeded(hold.provider_reference, hold.amount, hold.id))
    after = await holding.core.settle(order, hold.id, taken)

    assert after.captured_minor_units == hold.amount.minor_units
    assert after.payment_status is PaymentStatus.IN_REVIEW


async def test_a_hold_that_was_declined_and_then_held_is_given_up(holding: Any) -> None:
    failed = await holding.place(payment_method="declined")
    charge = failed.charge

    held = Report(Authorized(charge.provider_reference, charge.amount, charge.id))
    after = await holding.core.settle(failed, charge.id, held)

    assert [t.kind for t in after.transactions[1:]] == [
        TransactionKind.AUTHORIZATION,
        TransactionKind.VOID,
    ]


async def test_a_try_that_failed_does_not_end_the_hold_of_another(holding: Any) -> None:
    placed = await holding.place()

    other = Report(Declined("card_declined", reference="another-payment"))
    after = await holding.core.settle(placed, placed.charge.id, other)

    assert after.transactions == placed.transactions
