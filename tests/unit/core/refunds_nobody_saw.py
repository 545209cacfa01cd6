"""Refunds that nobody can ask about, for tests of what a person accepted unseen."""

from datetime import timedelta
from typing import Any

from order_core.money import Money
from order_core.order import Order
from order_core.outcomes import Succeeded
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.reviewing import ReviewDecision
from order_memory import reactions
from tests.unit.core.telling_and_deciding import Provider, decide, without_look_ups

REFUND = TransactionKind.REFUND


async def given_up(
    shop: Any, *, named: bool, part: Money | None = None, cancelled: bool = False
) -> tuple[Order, PaymentTransaction, Provider]:
    """An order of which a refund is a person's to decide about: nobody can ask about it."""
    provider = Provider(without_look_ups(shop))
    placed = await shop.place()
    shop.gateway.react(reactions.WAIT if named else reactions.LOSE_ANSWER)
    if cancelled:
        await shop.core.cancel(placed.id, customer_id="ann")
    else:
        await shop.core.refund(placed.id, by="staff", amount=part)
    shop.gateway.react(*[reactions.LOSE_REQUEST] * 200)
    await shop.work_until(passed=timedelta(days=30))
    shop.gateway.forget_reactions()
    order = await shop.orders.get(placed.id)
    refund = order.transactions[-1]
    assert refund.review == "provider_has_no_look_up"
    assert (refund.provider_reference is not None) is named
    return order, refund, provider


async def accepted_unseen(
    shop: Any, *, named: bool, part: Money | None = None, cancelled: bool = False
) -> tuple[Order, PaymentTransaction, Provider]:
    """An order of which a refund counts as made by a person's word alone."""
    order, refund, provider = await given_up(shop, named=named, part=part, cancelled=cancelled)
    order = await decide(shop, order, refund, ReviewDecision.ACCEPT)
    return order, order.transaction(refund.id), provider


async def told(
    shop: Any,
    provider: Provider,
    refund: PaymentTransaction,
    amount: Money,
    *,
    marked: bool,
    reference: str | None = None,
) -> Order:
    """Its event says how much went back."""
    reference = reference or refund.provider_reference or "re-1"
    mark = {"transaction_id": refund.id} if marked else {}
    done = Succeeded(reference, amount, mark.get("transaction_id", ""))
    await provider.tells(REFUND, done, parent_reference=refund.parent_reference, **mark)
    order: Order = await shop.orders.get(refund.order_id)
    return order
