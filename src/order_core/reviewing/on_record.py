"""What a person has decided about, as it stands on record from then on."""

from typing import Final

from order_core.immutable import replace
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import (
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import decided_by
from order_core.settlement.hold import is_taken, let_go
from order_core.settlement.settling import Settling

_HOLD_BECOMES: Final = {
    TransactionKind.CAPTURE: TransactionStatus.SUCCEEDED,
    TransactionKind.VOID: TransactionStatus.VOIDED,
}


def as_the_provider_has_it(deciding: Settling) -> PaymentTransaction:
    """What is decided about, as done; a hold as taken or let go, if that is on record."""
    transaction = deciding.transaction
    accepted = replace(transaction, review=None)
    if transaction.status is not TransactionStatus.IN_REVIEW:
        return accepted
    if transaction.kind is not TransactionKind.AUTHORIZATION:
        return replace(accepted, status=TransactionStatus.SUCCEEDED)
    if is_taken(deciding.order, transaction):
        return replace(accepted, status=TransactionStatus.SUCCEEDED)
    if _was_let_go(deciding.order, transaction):
        return replace(accepted, status=TransactionStatus.VOIDED)
    attend_at = decided_by(transaction.capture_before, now=deciding.at)
    return replace(accepted, status=TransactionStatus.AUTHORIZED, attend_at=attend_at)


def _was_let_go(order: Order, hold: PaymentTransaction) -> bool:
    """Whether a void of the hold is on record as done, and nobody doubts that."""
    return any(
        t.kind is TransactionKind.VOID
        and t.parent_id == hold.id
        and t.status is TransactionStatus.SUCCEEDED
        and not t.review
        for t in order.transactions
    )


def hold_given_up(deciding: Settling, settled: PaymentTransaction) -> Order:
    """The order with `settled` in it. What was captured, or let go, is held no longer."""
    order = deciding.order.with_transaction(settled)
    if settled.kind not in _HOLD_BECOMES or settled.parent_id is None or not settled.is_live:
        return order
    hold = order.transaction(settled.parent_id)
    void = settled.kind is TransactionKind.VOID
    if not (hold.is_held if void else hold.status is TransactionStatus.AUTHORIZED):
        return order
    order = order.with_transaction(hold.finished(_HOLD_BECOMES[settled.kind]))
    if void and not hold.is_beside_ours:
        return let_go(deciding, order, settled)
    return order


def order_waits_for(deciding: Settling) -> bool:
    """Whether the order is placed, or fails, with what is decided about."""
    in_doubt = deciding.transaction.status is TransactionStatus.IN_REVIEW
    waits = deciding.order.status is OrderStatus.AWAITING_PAYMENT
    return in_doubt and waits and deciding.transaction.takes_money
