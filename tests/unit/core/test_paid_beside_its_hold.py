"""An order whose money is held, and which a person lets be paid by something else."""

from collections.abc import Callable
from typing import Any

import pytest

from order_core.errors import CannotProcess
from order_core.immutable import replace
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import Report, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode
from order_core.reviewing import ReviewDecision
from order_memory import Standing
from tests.unit.core.telling_and_deciding import PART, WHOLE, Provider, decide

D = ReviewDecision


@pytest.fixture
def holding(make_shop: Callable[..., Any]) -> Any:
    return make_shop(capture=CaptureMode.ON_PROCESSING)


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
