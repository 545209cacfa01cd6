"""What makes an order one that is looked for, by a fact of a provider or by a person."""

from datetime import datetime
from typing import Final

from order_core.order import Order
from order_core.payment import (
    TAKING_KINDS,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)

_MOVES_MONEY_TO_US: Final = TAKING_KINDS | {TransactionKind.CAPTURE}


def payment_reference(transaction: PaymentTransaction) -> tuple[str, str, str] | None:
    """The payment at the provider that this transaction is, dead or alive, if it is one."""
    reference = transaction.provider_reference
    if reference is None or transaction.kind not in _MOVES_MONEY_TO_US:
        return None
    return (transaction.provider, transaction.account, reference)


def waiting_since(order: Order) -> datetime | None:
    """When the oldest transaction was recorded that waits for an answer or a person, if any."""
    waiting = (
        transaction.recorded_at
        for transaction in order.transactions
        if transaction.is_open
        or transaction.status is TransactionStatus.IN_REVIEW
        or transaction.review is not None
    )
    return min(waiting, default=None)
