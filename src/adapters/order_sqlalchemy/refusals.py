"""What a broken constraint means. Only the named ones mean anything: the rest are bugs."""

from typing import Final

from order_core.errors import (
    ConcurrentUpdate,
    IdempotencyKeyReused,
    OrderCoreError,
    PaymentMethodInUse,
    PaymentReferenceTaken,
    PossibleDuplicate,
)
from order_sqlalchemy.saving import Saving


class Constraint:
    """The names of those that mean something."""

    ORDER_ID: Final = "pk_orders"
    REQUEST_KEY: Final = "pk_idempotency_records"
    SINGLE_USE: Final = "uq_payment_transactions_single_use"
    REFERENCE: Final = "uq_payment_transactions_reference"


def refusal(constraint: str | None, saving: Saving) -> OrderCoreError | None:
    """The error that the port promises for this constraint, if it promises one."""
    match constraint:
        case Constraint.ORDER_ID:
            return ConcurrentUpdate(saving.order.id)
        case Constraint.REQUEST_KEY if saving.request:
            return IdempotencyKeyReused(saving.request.key)
        case Constraint.SINGLE_USE:
            return PaymentMethodInUse()
        case Constraint.REFERENCE:
            return _taken(saving)
        case _:
            return None


def possible_duplicate(saving: Saving) -> PossibleDuplicate:
    """The error for a guard that admitted no order."""
    return PossibleDuplicate(saving.guard.window.total_seconds() if saving.guard else 0)


def _taken(saving: Saving) -> PaymentReferenceTaken | None:
    # The newest one: what an order held before this save, it holds rightfully.
    for transaction in reversed(saving.order.transactions):
        if transaction.takes_money and transaction.is_live and transaction.provider_reference:
            return PaymentReferenceTaken(transaction.provider, transaction.provider_reference)
    return None
