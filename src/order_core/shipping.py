"""An order leaves, in one parcel or several, and arrives."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from order_core.errors import CannotDeliver, CannotShip
from order_core.events import OrderDelivered, OrderShipped
from order_core.immutable import replace
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind
from order_core.payment_terms import PaymentTerms
from order_core.shipment import MAX_SHIPMENTS, Shipment

_TAKES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE})
_TOO_EARLY_OR_LATE: Final = {
    OrderStatus.AWAITING_PAYMENT: ("unpaid", "it is not paid yet"),
    OrderStatus.PAYMENT_FAILED: ("unpaid", "it was never paid"),
    OrderStatus.PENDING: ("not_processing", "it is not being processed yet"),
    OrderStatus.CANCELLED: ("already_cancelled", "it is cancelled"),
    OrderStatus.DELIVERED: ("already_delivered", "it has already been delivered"),
}
_NOT_SHIPPED: Final = {
    **_TOO_EARLY_OR_LATE,
    OrderStatus.PROCESSING: ("not_shipped", "it has not been shipped yet"),
}


def shipped(
    order: Order,
    *,
    carrier: str,
    tracking_number: str,
    by: str,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms | None = None,  # noqa: ARG001 - no money moves
) -> Order:
    """The order with one more parcel on its way; the same order if that one is known.

    Raises:
        CannotShip: it is not being processed, or its money is not ours to keep.
        InvalidValue: the carrier or the number is no such thing.
    """
    parcel = Shipment(new_id(), carrier, tracking_number, at)
    known = {(each.carrier, each.tracking_number) for each in order.shipments}
    if (parcel.carrier, parcel.tracking_number) in known:
        return order
    if refusal := shipping_refusal(order):
        raise CannotShip(order.id, *refusal)
    order = replace(order, shipments=(*order.shipments, parcel))
    if order.status is OrderStatus.PROCESSING:
        order = order.moved_to(OrderStatus.SHIPPED)
    return order.with_news(OrderShipped(parcel.id, by), at)


def shipping_refusal(order: Order) -> tuple[str, str] | None:
    """Why no parcel of it may leave now (a word, a clause), or None."""
    if refusal := _TOO_EARLY_OR_LATE.get(order.status):
        return refusal
    if order.payment_status is PaymentStatus.IN_REVIEW:
        return ("in_review", "its payment is in review")
    if not order.payments:
        return ("unpaid", "no money was taken for it")
    if money_is_gone(order):
        return ("refunded", "its money went back, or is about to")
    if order.shipping_address is None:
        return ("erased", "its customer had the address erased")
    if len(order.shipments) >= MAX_SHIPMENTS:
        return ("too_many_shipments", f"it has {MAX_SHIPMENTS} parcels already")
    return None


def money_is_gone(order: Order) -> bool:
    """Whether what was taken for it went back, all of it, or is about to."""
    payments = order.payments
    return bool(payments) and not any(order.left_of(payment) for payment in payments)


def delivered(
    order: Order,
    *,
    by: str,
    at: datetime,
    new_id: Callable[[], str] | None = None,  # noqa: ARG001 - nothing is recorded
    terms: PaymentTerms | None = None,  # noqa: ARG001 - no money moves
) -> Order:
    """The order at its buyer's. Delivering it twice changes nothing.

    Raises:
        CannotDeliver: it was not shipped.
    """
    if order.status is OrderStatus.DELIVERED:
        return order
    if refusal := delivery_refusal(order):
        raise CannotDeliver(order.id, *refusal)
    return order.moved_to(OrderStatus.DELIVERED).with_news(OrderDelivered(by), at)


def delivery_refusal(order: Order) -> tuple[str, str] | None:
    """Why it cannot arrive now (a word, a clause), or None."""
    return _NOT_SHIPPED.get(order.status)
