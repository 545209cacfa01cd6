"""What staff can do with an order now: the core's own rules, tried out on the order."""

from typing import Final

from order_core.errors import CannotProcess, CannotRefund
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.payment_terms import GatewayProfile, PaymentTerms
from order_core.processing import processed
from order_core.refunding import refunded
from order_core.shipping import delivery_refusal, shipping_refusal

Refusal = tuple[str, str]
"""A stable word, and a clause for people."""

_NOBODY: Final = "nobody"
_ALREADY: Final = ("already_processing", "it is being processed already")
_CAPTURING: Final = ("capture_in_progress", "its money is being taken just now")
_NOT_IN_REVIEW: Final = ("not_in_review", "nothing of its payment is in review")


def refusals(order: Order) -> dict[str, Refusal | None]:
    """Action -> why it would be refused, or None where it would not."""
    in_review = order.payment_status is PaymentStatus.IN_REVIEW
    # Its end may be told by a person, also once its beginning was looked at.
    disputed = any(order.is_disputed(paid) for paid in order.transactions)
    return {
        "process": process_refusal(order),
        "ship": shipping_refusal(order),
        "deliver": delivery_refusal(order),
        "refund": _refund_refusal(order),
        "review": None if in_review or disputed else _NOT_IN_REVIEW,
    }


def process_refusal(order: Order) -> Refusal | None:
    """Why the order cannot begin to be processed, or None."""
    try:
        after = processed(
            order, by=_NOBODY, at=order.created_at, new_id=_no_id, terms=_terms(order)
        )
    except CannotProcess as refusal:
        return refusal.reason, refusal.because
    if after is not order:
        return None
    return _ALREADY if order.status is OrderStatus.PROCESSING else _CAPTURING


def _refund_refusal(order: Order) -> Refusal | None:
    try:
        refunded(order, None, by=_NOBODY, at=order.created_at, new_id=_no_id, terms=_terms(order))
    except CannotRefund as refusal:
        return refusal.reason, refusal.because
    return None


def _terms(order: Order) -> PaymentTerms:
    # Times decide when a movement is sent, not whether it may be recorded.
    return PaymentTerms(GatewayProfile(order.charge.provider, order.charge.account))


def _no_id() -> str:
    return "tried-out"
