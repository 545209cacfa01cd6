"""Refunds that were refused, or came back: what they were of, and what is left to give back."""

from typing import Final

from order_core.giving_back import refunding
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.settlement.settling import Settling

ENDED: Final = frozenset({OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED})


def is_undone_refund(order: Order, transaction: PaymentTransaction) -> bool:
    """Whether it is a refund that was not made, as far as is known, or the return of one."""
    if transaction.kind is TransactionKind.REFUND:
        return transaction.is_given_up or not transaction.is_live
    if transaction.kind is not TransactionKind.REVERSAL:
        return False
    return order.transaction(transaction.parent_id or "").kind is TransactionKind.REFUND


def paid_by(order: Order, transaction: PaymentTransaction) -> PaymentTransaction:
    """What took the money that a refund, a dispute or a return is about."""
    paid = transaction
    while paid.kind in {TransactionKind.REFUND, TransactionKind.REVERSAL} and paid.parent_id:
        paid = order.transaction(paid.parent_id)
    return paid


def rest_given_back(deciding: Settling, order: Order, paid: PaymentTransaction) -> Order:
    """The order with a refund of what is left of a payment, and decided about nowhere else."""
    in_doubt = sum(
        t.amount.minor_units
        for t in order.transactions
        if t.review
        and is_undone_refund(order, t)
        and paid_by(order, t).id == paid.id
        # What was given up reserves its sum.
        and not t.is_given_up
    )
    rest = Money(max(order.left_of(paid) - in_doubt, 0), paid.amount.currency)
    at, new_id, terms = deciding.at, deciding.new_id, deciding.terms
    return refunding(order, paid, rest, at=at, new_id=new_id, terms=terms)
