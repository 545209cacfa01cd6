"""Staff gives money back, all of it or a part."""

from collections.abc import Callable
from datetime import datetime

from order_core.errors import CannotRefund, InvalidValue
from order_core.giving_back import refunding
from order_core.money import Money
from order_core.order import Order
from order_core.payment import DISPUTE_LOST, DISPUTE_OPEN, REFUNDED_OTHERWISE
from order_core.payment_terms import PaymentTerms


def refunded(
    order: Order,
    amount: Money | None,
    *,
    by: str,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms,
) -> Order:
    """The order with a refund of `amount` recorded; None means everything that is left.

    The amount is reserved by the record, so two refunds at once never exceed together what
    was taken.

    Raises:
        CannotRefund: nothing was taken, nothing of it is left, or its bank decides about it.
        InvalidValue: another currency, nothing, or more than is left.
    """
    left_of = _left_of_payments(order)
    if amount is None:
        for paid_id in left_of:
            paid = order.transaction(paid_id)
            order = refunding(order, paid, by=by, at=at, new_id=new_id, terms=terms)
        return order
    wanted = amount.minor_units
    if amount.currency != order.total.currency:
        raise InvalidValue(("amount",), "mixed_currencies", f"must be in {order.total.currency}")
    if wanted == 0:
        raise InvalidValue(("amount",), "nothing_to_refund", "must be more than nothing")
    for paid_id, left in left_of.items():
        if wanted <= left:
            paid = order.transaction(paid_id)
            return refunding(order, paid, amount, by=by, at=at, new_id=new_id, terms=terms)
    most = Money(max(left_of.values()), order.total.currency)
    raise InvalidValue(("amount",), "refund_too_large", f"must not exceed {most}, which is left")


def _left_of_payments(order: Order) -> dict[str, int]:
    """What is left of each payment, in minor units: of one at least, something."""
    if not order.captured_minor_units:
        raise CannotRefund(order.id, "nothing_captured", "no money was taken for it")
    left_of = {paid.id: order.left_of(paid) for paid in order.payments}
    if any(left_of.values()):
        return left_of
    if any(order.is_disputed(paid) for paid in order.payments):
        clause = "its payment is disputed, and the bank may give the money back"
        raise CannotRefund(order.id, DISPUTE_OPEN, clause)
    if any(order.taken_back_of(paid) for paid in order.payments):
        raise CannotRefund(order.id, DISPUTE_LOST, "the bank gave the money back already")
    if order.refunded_otherwise_minor_units:
        clause = "a person has said that its buyer has it back another way"
        raise CannotRefund(order.id, REFUNDED_OTHERWISE, clause)
    raise CannotRefund(order.id, "already_refunded", "all of it is on its way back already")
