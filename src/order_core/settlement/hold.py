"""What becomes of money that is held."""

from order_core.events import PaymentFailed
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import decided_by
from order_core.settlement.consequences import concluded
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked


def hold_dated(settling: Settling, outcome: Authorized) -> Order:
    """The end of a hold, told later than the hold itself."""
    ends = outcome.capture_before
    if settling.transaction.capture_before is not None or ends is None:
        return settling.order
    dated = replace(
        settling.transaction, capture_before=ends, attend_at=decided_by(ends, now=settling.at)
    )
    return settling.order.with_transaction(dated)


def is_captured(order: Order, hold: PaymentTransaction) -> bool:
    """Whether a capture of the hold is on record, done or on its way."""
    return any(
        t.kind is TransactionKind.CAPTURE and t.parent_id == hold.id and t.is_live
        for t in order.transactions
    )


def is_taken(order: Order, hold: PaymentTransaction) -> bool:
    """Whether a capture of the hold is on record as done, whoever made it."""
    return any(
        t.kind is TransactionKind.CAPTURE
        and t.parent_id == hold.id
        and t.status is TransactionStatus.SUCCEEDED
        for t in order.transactions
    )


def held_and_taken(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """The first word about a hold says, or comes after word, that it was taken already."""
    waiting = settling.transaction
    reference = waiting.provider_reference or outcome.reference
    hold = waiting.finished(TransactionStatus.SUCCEEDED, reference=reference)
    order = settling.order.with_transaction(hold)
    if isinstance(outcome, Succeeded) and not is_taken(order, hold):
        order = hold_taken(replace(settling, order=order), hold, outcome)
    if order.status is OrderStatus.AWAITING_PAYMENT:
        order = concluded(settling, order, hold, MoneyEvent.HELD)
    return order


def hold_taken(settling: Settling, hold: PaymentTransaction, outcome: Succeeded) -> Order:
    """Somebody captured what we only held, or a capture of ours that we had given up did."""
    capture = unasked(settling, TransactionKind.CAPTURE, outcome, parent=hold)
    order = settling.order.with_transaction(capture)
    if hold.status is TransactionStatus.AUTHORIZED:
        # Taken now, and held no longer: nobody may void it, or take it again.
        order = order.with_transaction(hold.finished(TransactionStatus.SUCCEEDED))
    return concluded(settling, order, capture, MoneyEvent.CAPTURED_UNASKED)


def let_go(settling: Settling, order: Order, void: PaymentTransaction) -> Order:
    """The void of its own payment is done: an order that waited for that is paid no more."""
    after = concluded(settling, order, void, MoneyEvent.VOIDED)
    if after.status is order.status:
        return after
    return after.with_news(PaymentFailed(void.parent_id or "", "expired"), settling.at)
