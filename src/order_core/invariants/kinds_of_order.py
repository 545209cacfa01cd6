"""Groups of statuses and movements that several rules speak of."""

from typing import Final

from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind

TAKES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE})
"""The kinds of movement by which the buyer's money becomes ours."""
PLACED: Final = frozenset(
    {
        OrderStatus.PENDING,
        OrderStatus.PROCESSING,
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
    }
)
"""The shop owes the goods, or has sent them."""
ENDED: Final = frozenset({OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED})
"""Nobody owes anything."""
