"""What the provider took goes back."""

from order_core.errors import CannotReview
from order_core.events import PaymentFailed
from order_core.giving_back import giving_back, refunding, voiding
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import (
    DISPUTE_OPEN,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.reviewing.on_record import as_the_provider_has_it, hold_given_up, order_waits_for
from order_core.reviewing.undone_refunds import ENDED, paid_by
from order_core.settlement.settling import Settling


def refunded(deciding: Settling) -> Order:
    """The order with what gives the money back, or lets its hold go, on record.

    Raises:
        CannotReview: it has no outcome yet, the order lives on it, its capture is to be decided
            about first, it is a refund that was not refused, or nothing of it can go back.
    """
    order, at, new_id, terms = deciding.order, deciding.at, deciding.new_id, deciding.terms
    if deciding.transaction.is_open:
        raise CannotReview(order.id, "still_open", "this transaction has no outcome yet")
    if order.lives_on(deciding.transaction):
        raise CannotReview(order.id, "order_lives_on_it", "cancel the order to let its hold go")
    if order.may_be_taken(deciding.transaction):
        # No void would be recorded, and the review would end as if the hold had been let go.
        raise CannotReview(order.id, "capture_in_review", "decide about its capture first")
    settled = as_the_provider_has_it(deciding)
    if settled.kind is TransactionKind.REFUND and settled.is_live:
        # To ask for it again would be to give it back twice.
        because = "this refund was not refused: accept it, or say that it never happened"
        raise CannotReview(order.id, "not_refused", because)
    order = hold_given_up(deciding, settled)
    waiting = order_waits_for(deciding)
    if waiting:
        failed = PaymentFailed(settled.id, "refunded_by_review")
        order = order.moved_to(OrderStatus.PAYMENT_FAILED).with_news(failed, at)
    if waiting and settled.kind is TransactionKind.AUTHORIZATION:
        return giving_back(order, at=at, new_id=new_id, terms=terms)
    if settled.is_held:
        return voiding(order, settled, at=at, new_id=new_id, terms=terms)
    owed = _owed_for(order, settled)
    part = None if order.status in ENDED else _part_of(order, settled, owed)
    decided = refunding(order, owed, part, at=at, new_id=new_id, terms=terms)
    if waiting:
        # An order that was never paid fails although its buyer has got everything already, and
        # whatever else was accepted of it meanwhile has no order to pay for any more.
        return giving_back(decided, at=at, new_id=new_id, terms=terms)
    if decided is order:
        # Without a refund the review would end as if the money had gone back.
        because = "nothing is left of its payment to give back"
        raise CannotReview(order.id, "nothing_to_refund", because)
    return decided


def _owed_for(order: Order, transaction: PaymentTransaction) -> PaymentTransaction:
    """The payment that a refund would give back: the transaction itself, or what it belongs to."""
    owed = paid_by(order, transaction)
    took = owed.kind in {TransactionKind.CHARGE, TransactionKind.CAPTURE}
    taken = took and owed.status is TransactionStatus.SUCCEEDED
    if not taken or not owed.provider_reference:
        raise CannotReview(order.id, "nothing_to_refund", "this transaction took no money")
    if order.is_disputed(owed):
        raise CannotReview(order.id, DISPUTE_OPEN, "the bank has not decided its dispute yet")
    return owed


def _part_of(order: Order, settled: PaymentTransaction, owed: PaymentTransaction) -> Money | None:
    """What a refund that was refused, or came back, was to give back; None if it was none."""
    refund = settled
    if settled.kind is TransactionKind.REVERSAL and settled.parent_id:
        refund = order.transaction(settled.parent_id)
    if refund.kind is not TransactionKind.REFUND:
        return None
    left = min(settled.amount.minor_units, order.left_of(owed))
    return Money(left, settled.amount.currency)
