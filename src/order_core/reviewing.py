"""A person decides about a payment that contradicts what we asked for."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from order_core.errors import CannotReview
from order_core.events import OrderPlaced, PaymentFailed, Reviewed
from order_core.immutable import replace
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import DISPUTE_OPEN, PaymentTransaction, TransactionKind, TransactionStatus
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
        CannotReview: the order has no such transaction, it is not in review, it took
            nothing that could go back, or the bank decides about that.
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
    if decision is ReviewDecision.REFUND and transaction.is_open:
        raise CannotReview(order.id, "still_open", "this transaction has no outcome yet")
    in_doubt = transaction.status is TransactionStatus.IN_REVIEW
    settled = replace(transaction, status=_accepted(transaction), review=None)
    order = _hold_given_up(order.with_transaction(settled), settled)
    waiting = in_doubt and transaction.takes_money and order.status is OrderStatus.AWAITING_PAYMENT
    if decision is ReviewDecision.ACCEPT:
        if waiting:
            placed = OrderPlaced(settled.id, settled.provider_reference or "")
            return order.moved_to(OrderStatus.PENDING).with_news(placed, at)
        return order
    if waiting:
        failed = PaymentFailed(settled.id, "refunded_by_review")
        order = order.moved_to(OrderStatus.PAYMENT_FAILED).with_news(failed, at)
    if settled.is_held:
        return order.voiding(settled, at=at, new_id=new_id, terms=terms)
    refunding = order.refunding(_owed_for(order, settled), at=at, new_id=new_id, terms=terms)
    if refunding is order and not waiting:
        # Without a refund the review would end as if the money had gone back. An order that
        # was never paid fails all the same: its buyer has got everything already.
        because = "nothing is left of its payment to give back"
        raise CannotReview(order.id, "nothing_to_refund", because)
    return refunding


def _owed_for(order: Order, transaction: PaymentTransaction) -> PaymentTransaction:
    """The payment that a refund would give back: the transaction itself, or what it belongs to."""
    owed = transaction
    while owed.kind in {TransactionKind.REFUND, TransactionKind.REVERSAL} and owed.parent_id:
        owed = order.transaction(owed.parent_id)
    took = owed.kind in {TransactionKind.CHARGE, TransactionKind.CAPTURE}
    taken = took and owed.status is TransactionStatus.SUCCEEDED
    if not taken or not owed.provider_reference:
        raise CannotReview(order.id, "nothing_to_refund", "this transaction took no money")
    if order.is_disputed(owed):
        raise CannotReview(order.id, DISPUTE_OPEN, "the bank has not decided its dispute yet")
    return owed


def _hold_given_up(order: Order, settled: PaymentTransaction) -> Order:
    """What was captured is held no longer."""
    if settled.kind is not TransactionKind.CAPTURE or settled.parent_id is None:
        return order
    hold = order.transaction(settled.parent_id)
    if hold.status is not TransactionStatus.AUTHORIZED:
        return order
    return order.with_transaction(hold.finished(TransactionStatus.SUCCEEDED))


def _accepted(transaction: PaymentTransaction) -> TransactionStatus:
    if transaction.status is not TransactionStatus.IN_REVIEW:
        return transaction.status
    held = transaction.kind is TransactionKind.AUTHORIZATION
    return TransactionStatus.AUTHORIZED if held else TransactionStatus.SUCCEEDED
