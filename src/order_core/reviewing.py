"""A person decides about a payment that contradicts what we asked for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from order_core.errors import CannotReview
from order_core.events import OrderPlaced, PaymentFailed, Reviewed
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import PaymentTerms
from order_core.text import checked_text

LONGEST_NOTE = 2000


class ReviewDecision(StrEnum):
    """What a person can decide."""

    ACCEPT = "accept"
    """It is all right as it is: what the provider did counts."""
    REFUND = "refund"
    """What the provider took goes back."""
    NOTE = "note"
    """Nothing yet, but this should be known."""


def reviewed(
    order: Order,
    transaction_id: str,
    decision: ReviewDecision,
    *,
    note: str,
    by: str,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms,
) -> Order:
    """The order after a person's decision about one of its transactions.

    Raises:
        CannotReview: the order has no such transaction, it is not in review, or it took
            nothing that could go back.
        InvalidValue: the note is empty or too long.
    """
    checked_text(note, "note", longest=LONGEST_NOTE)
    try:
        transaction = order.transaction(transaction_id)
    except KeyError:
        raise CannotReview(order.id, "no_such_transaction", "it has no such transaction") from None
    doubtful = transaction.status is TransactionStatus.IN_REVIEW or transaction.review is not None
    if not doubtful:
        raise CannotReview(order.id, "not_in_review", "this transaction is not in review")
    order = order.with_news(Reviewed(transaction.id, decision, by, note), at)
    if decision is ReviewDecision.NOTE:
        return order
    took = transaction.kind in {TransactionKind.CHARGE, TransactionKind.CAPTURE}
    if decision is ReviewDecision.REFUND and not (took and transaction.provider_reference):
        raise CannotReview(order.id, "nothing_to_refund", "this transaction took no money")
    settled = replace(transaction, status=_accepted(transaction.status), review=None)
    order = order.with_transaction(settled)
    waiting = order.status is OrderStatus.AWAITING_PAYMENT and transaction.takes_money
    if decision is ReviewDecision.ACCEPT:
        if waiting:
            placed = OrderPlaced(settled.id, settled.provider_reference or "")
            return order.moved_to(OrderStatus.PENDING).with_news(placed, at)
        return order
    if waiting:
        failed = PaymentFailed(settled.id, "refunded_by_review")
        order = order.moved_to(OrderStatus.PAYMENT_FAILED).with_news(failed, at)
    return order.refunding(settled, at=at, new_id=new_id, terms=terms)


def _accepted(status: TransactionStatus) -> TransactionStatus:
    in_doubt = status is TransactionStatus.IN_REVIEW
    return TransactionStatus.SUCCEEDED if in_doubt else status
