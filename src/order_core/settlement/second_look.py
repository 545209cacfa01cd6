"""A movement that failed for want of any trace is looked up once more."""

from order_core.immutable import replace
from order_core.order import Order
from order_core.payment import TransactionStatus
from order_core.settlement.settling import Settling


def second_look_done(settling: Settling, order: Order) -> Order:
    """A movement that failed for want of any trace is looked up once more; not twice."""
    looked_at = order.transaction(settling.transaction.id)
    if looked_at.status is not TransactionStatus.FAILED or looked_at.attend_at is None:
        return order
    return order.with_transaction(replace(looked_at, attend_at=None))
