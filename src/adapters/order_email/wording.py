"""What money did, in words for the person whose money it is."""

from typing import Final

from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.payment import OPEN_STATUSES, TransactionKind, TransactionStatus

_PAYMENT: Final = {
    PaymentStatus.UNPAID: "not paid yet",
    PaymentStatus.AUTHORIZED: "reserved on your payment method; it is taken when we prepare "
    "your order",
    PaymentStatus.PAID: "paid, thank you",
    PaymentStatus.PARTIALLY_REFUNDED: "paid, and partly paid back",
    PaymentStatus.REFUNDED: "paid, and paid back in full",
    PaymentStatus.IN_REVIEW: "being checked by us",
}

_BANKS: Final = "Depending on your bank, it can take some days until you see it."


def payment_state(order: Order) -> str:
    """How the payment of `order` stands, as the end of a sentence."""
    return _PAYMENT[order.payment_status]


def money_back(order: Order) -> str:
    """What becomes of the money of a cancelled order, in whole sentences.

    "You were not charged" is said only when that is proven, never while an answer is open.
    """
    if order.payment_status is PaymentStatus.IN_REVIEW:
        return (
            "One of us is checking the payment. Whatever was taken for this order "
            "and is yours, you will get back."
        )
    if order.captured_minor_units:
        return _of_what_was_taken(order)
    if any(
        transaction.status is TransactionStatus.AUTHORIZED for transaction in order.transactions
    ):
        return (
            f"Nothing was taken. The {order.total} that were reserved on your payment method "
            f"are being released. {_BANKS}"
        )
    if any(
        transaction.takes_money and transaction.status in OPEN_STATUSES
        for transaction in order.transactions
    ):
        return (
            "Your payment was not complete when the order was cancelled. "
            "If money is taken all the same, you get it back without asking."
        )
    if any(
        transaction.kind is TransactionKind.AUTHORIZATION
        and transaction.status is TransactionStatus.VOIDED
        for transaction in order.transactions
    ):
        return f"Nothing was taken. The reservation on your payment method was released. {_BANKS}"
    return "You were not charged."


def _of_what_was_taken(order: Order) -> str:
    currency = order.total.currency
    back = order.refunded_minor_units + order.refunded_otherwise_minor_units
    refunded = Money(back, currency)
    by_bank = sum(order.taken_back_of(paid) for paid in order.payments)
    owed = order.captured_minor_units - back - by_bank
    if owed <= 0:
        if by_bank:
            return "Your bank has taken back what you had paid."
        return f"{refunded} have been paid back to you. {_BANKS}"
    left = Money(owed, currency)
    under_way = sum(
        transaction.amount.minor_units
        for transaction in order.transactions
        if transaction.kind is TransactionKind.REFUND and transaction.is_open
    )
    rest = (
        f"{left} are on their way back to you. {_BANKS}"
        if under_way >= owed
        else f"We owe you {left} and will pay them back."
    )
    if not refunded.minor_units:
        return rest
    return f"{refunded} have been paid back to you already. {rest}"


def paid_back(order: Order, amount: str) -> str:
    """That `amount` went back, and how much in all where that is something else."""
    refunded = Money(order.refunded_minor_units, order.total.currency)
    # It may have come back since: then no sum of what is with the buyer is told.
    tells = str(refunded) != amount and refunded.minor_units
    so_far = f" Together, you have got back {refunded}." if tells else ""
    return f"We have paid back {amount} to you. {_BANKS}{so_far}"
