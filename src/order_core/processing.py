"""An order begins to be processed: paid already, or captured now."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from order_core.errors import CannotProcess
from order_core.events import CaptureRecorded, ProcessingBegan
from order_core.immutable import replace
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.payment import LATE, PaymentTransaction, TransactionKind
from order_core.payment_terms import PaymentTerms
from order_core.shipping import money_is_gone

_REFUSALS: Final = {
    OrderStatus.AWAITING_PAYMENT: ("unpaid", "it is not paid yet"),
    OrderStatus.PAYMENT_FAILED: ("unpaid", "it was never paid"),
    OrderStatus.CANCELLED: ("already_cancelled", "it is cancelled"),
    OrderStatus.SHIPPED: ("already_shipped", "it has already been shipped"),
    OrderStatus.DELIVERED: ("already_delivered", "it has already been delivered"),
}


def processed(
    order: Order, *, by: str, at: datetime, new_id: Callable[[], str], terms: PaymentTerms
) -> Order:
    """The order being processed, or with the capture recorded that must come first.

    It becomes `processing` only when the capture is final. Asking twice changes nothing.

    Raises:
        CannotProcess: the status, or the state of the money, says no.
    """
    if order.status is OrderStatus.PROCESSING:
        return order
    if refusal := _REFUSALS.get(order.status):
        raise CannotProcess(order.id, *refusal)
    if order.payment_status is PaymentStatus.IN_REVIEW:
        raise CannotProcess(order.id, "in_review", "its payment is in review")
    if order.hold is not None:
        # Nothing is left of what was taken beside it, although that may not be back yet.
        return capturing(order, by=by, at=at, new_id=new_id, terms=terms)
    if money_is_gone(order):
        raise CannotProcess(order.id, "refunded", "its money went back, or is about to")
    if order.is_paid:
        return order.moved_to(OrderStatus.PROCESSING).with_news(ProcessingBegan(by), at)
    if order.payments:
        raise CannotProcess(order.id, "unpaid", "less than it costs was taken for it")
    raise CannotProcess(order.id, "unpaid", "no money is held or taken for it")


def capturing(
    order: Order,
    *,
    by: str | None,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms,
) -> Order:
    """The order with a capture of what is held recorded, unless one is open or nothing is held.

    `by` is who wants to begin processing; None: nobody yet, and the hold is about to end.
    """
    hold = order.hold
    under_way = open_capture(order)
    if under_way and under_way.reason == LATE and by is not None:
        # Now somebody asks for it, so that the order begins when it is done.
        asked_for = CaptureRecorded(under_way.id, str(under_way.amount), by)
        return order.with_transaction(replace(under_way, reason=None)).with_news(asked_for, at)
    if hold is None or under_way:
        return order
    capture = order.follow_up(
        TransactionKind.CAPTURE,
        hold,
        hold.amount,
        reason=LATE if by is None else None,
        at=at,
        new_id=new_id,
        terms=terms,
    )
    recorded = CaptureRecorded(capture.id, str(capture.amount), by)
    return order.with_transaction(capture).with_news(recorded, at)


def open_capture(order: Order) -> PaymentTransaction | None:
    """The capture whose outcome is not known yet, if there is one."""
    for transaction in order.transactions:
        if transaction.kind is TransactionKind.CAPTURE and transaction.is_open:
            return transaction
    return None
