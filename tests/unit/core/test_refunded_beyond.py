"""What the provider gave back beyond what was asked is on record, and a person hears of it once."""

from typing import Any

import pytest

from order_core.events import PutInReview
from order_core.immutable import replace
from order_core.invariants import Evidence, violations
from order_core.money import Money
from order_core.order import PaymentStatus
from order_core.outcomes import Declined, Report, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import PART, Provider, decide

MORE = Money(900, "EUR")


async def _asked(shop: Any, amount: Money | None = PART) -> tuple[Any, Any, Provider]:
    """An order of which a refund is on its way."""
    provider, placed = Provider(shop), await shop.place()
    shop.gateway.react(reactions.WAIT)
    order = await shop.core.refund(placed.id, by="staff", amount=amount)
    return order, order.transactions[-1], provider


async def _reviews(shop: Any, order: Any) -> list[str]:
    history = await shop.core.history(order.id, customer_id="ann")
    return [h.event.reason for h in history if isinstance(h.event, PutInReview)]


async def test_a_refund_of_more_than_was_asked_is_booked_and_put_before_a_person_once(
    shop: Any,
) -> None:
    order, refund, _ = await _asked(shop)
    more = Report(Succeeded(refund.provider_reference, MORE, refund.id))
    for _ in range(3):
        order = await shop.core.settle(order, refund.id, more)

    assert (order.refunded_minor_units, order.refund_asked_minor_units) == (900, 700)
    assert order.left_of(order.charge) == 1600
    assert order.payment_status is PaymentStatus.IN_REVIEW
    assert await _reviews(shop, order) == ["amount_differs:9.00 EUR"]
    order = await decide(shop, order, order.transactions[-1], ReviewDecision.ACCEPT)
    order = await shop.core.settle(order, refund.id, more)
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED


@pytest.mark.parametrize("is_ours", [True, False])
@pytest.mark.parametrize("named", [True, False])
async def test_a_refund_that_is_known_and_is_told_to_have_been_more_is_heard(
    shop: Any, *, is_ours: bool, named: bool
) -> None:
    order, refund, provider = await _asked(shop)
    reference, parent = refund.provider_reference, order.charge.provider_reference
    mark = {"transaction_id": refund.id} if named and is_ours else {}
    if not is_ours:
        reference = "re-dash"
    for amount in (PART, MORE, MORE, PART):
        told = Succeeded(reference, amount, mark.get("transaction_id", ""))
        await provider.tells(TransactionKind.REFUND, told, parent_reference=parent, **mark)
    order = await shop.orders.get(order.id)

    assert order.refunded_minor_units == 900
    assert await _reviews(shop, order) == ["amount_differs:9.00 EUR"]


async def test_of_a_refund_of_more_than_was_taken_no_more_is_asked_than_was_taken(
    shop: Any,
) -> None:
    order, refund, _ = await _asked(shop, None)
    more = Report(Succeeded(refund.provider_reference, Money(2600, "EUR"), refund.id))
    order = await shop.core.settle(order, refund.id, more)

    assert order.refunded_minor_units == 2600
    assert order.refund_asked_minor_units == order.captured_minor_units == 2500


@pytest.mark.parametrize("named", [True, False])
async def test_a_refund_of_more_than_was_asked_comes_back_as_a_whole(
    shop: Any, *, named: bool
) -> None:
    order, refund, provider = await _asked(shop)
    reference, parent = refund.provider_reference, order.charge.provider_reference
    more = Report(Succeeded(reference, MORE, refund.id))
    order = await shop.core.settle(order, refund.id, more)
    mark = {"transaction_id": refund.id} if named else {}
    undone = Reversed(reference, MORE, "account_closed")
    for _ in range(2):
        await provider.tells(TransactionKind.REFUND, undone, parent_reference=parent, **mark)
    order = await shop.orders.get(order.id)

    assert (order.refunded_minor_units, order.refund_asked_minor_units) == (0, 0)
    assert order.left_of(order.charge) == 2500
    assert (await _reviews(shop, order))[1:] == [
        "refund_returned:account_closed" if named else "account_closed"
    ]


async def test_a_failed_refund_of_more_than_was_asked_is_not_counted_when_its_making_is_told_late(
    shop: Any,
) -> None:
    order, refund, provider = await _asked(shop)
    reference, parent = refund.provider_reference, order.charge.provider_reference
    failed = Report(Declined("account_closed", reference=reference))
    order = await shop.core.settle(order, refund.id, failed)
    more = Succeeded(reference, MORE, "")
    await provider.tells(TransactionKind.REFUND, more, parent_reference=parent)
    order = await shop.orders.get(order.id)

    assert order.refunded_minor_units == 0


async def test_who_looks_at_what_is_stored_sees_that_more_was_given_back_than_was_taken(
    shop: Any,
) -> None:
    order, refund, _ = await _asked(shop, None)
    more = Report(Succeeded(refund.provider_reference, Money(2600, "EUR"), refund.id))
    order = await shop.core.settle(order, refund.id, more)
    hidden = order.with_transaction(replace(order.transactions[-1], review=None))

    found = [v.invariant.name for v in violations(Evidence(hidden))]
    assert found == ["given_back_within_capture"]


async def test_a_refund_that_came_back_is_not_told_to_have_been_more_any_more(shop: Any) -> None:
    order, refund, _ = await _asked(shop)
    reference = refund.provider_reference
    done = Report(Succeeded(reference, PART, refund.id))
    returned = Report(Declined("account_closed", reference=reference))
    late = Report(Succeeded(reference, MORE, refund.id))
    for told in (done, returned, late):
        order = await shop.core.settle(order, refund.id, told)

    assert order.refunded_minor_units == 0
