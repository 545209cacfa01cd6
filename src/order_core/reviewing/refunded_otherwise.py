"""A refund was refused, or came back, and its buyer has the money another way by now."""

from order_core.errors import CannotReview
from order_core.immutable import replace
from order_core.order import Order
from order_core.payment import REFUNDED_OTHERWISE, TransactionStatus
from order_core.reviewing.undone_refunds import ENDED, is_undone_refund, paid_by, rest_given_back
from order_core.settlement.settling import Settling


def refunded_otherwise(deciding: Settling) -> Order:
    """The order without what is owed for this refund; one that has ended gives back the rest.

    Raises:
        CannotReview: it is no refund that was refused, came back, or that nobody could ask about.
    """
    order, undone = deciding.order, deciding.transaction
    if not is_undone_refund(order, undone):
        because = "it is no refund that was refused or came back"
        raise CannotReview(order.id, "no_undone_refund", because)
    if undone.is_given_up:
        undone = undone.finished(TransactionStatus.FAILED)
    order = order.with_transaction(replace(undone, reason=REFUNDED_OTHERWISE, review=None))
    if order.status not in ENDED:
        return order
    # Made in part before it came back, it was asked for more than that.
    return rest_given_back(deciding, order, paid_by(order, undone))
