"""The status machine of an order, as one table, and who may cancel when."""

from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """Where an order stands."""

    AWAITING_PAYMENT = "awaiting_payment"
    PENDING = "pending"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    PAYMENT_FAILED = "payment_failed"
    CANCELLED = "cancelled"


_S = OrderStatus

TRANSITIONS: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    _S.AWAITING_PAYMENT: frozenset({_S.PENDING, _S.PAYMENT_FAILED, _S.CANCELLED}),
    _S.PENDING: frozenset({_S.PROCESSING, _S.CANCELLED}),
    _S.PROCESSING: frozenset({_S.SHIPPED}),
    _S.SHIPPED: frozenset({_S.DELIVERED}),
    _S.DELIVERED: frozenset(),
    _S.PAYMENT_FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
}
"""From each status, the statuses an order may move to. The diagram in the docs is drawn from it."""

UNPLACED: Final = frozenset({_S.AWAITING_PAYMENT, _S.PAYMENT_FAILED})
"""The order was never placed; lists leave it out unless asked for it."""

CANCEL_REFUSALS: Final[dict[OrderStatus, tuple[str, str]]] = {
    _S.PROCESSING: ("already_processing", "it is being processed already"),
    _S.SHIPPED: ("already_shipped", "it has already been shipped"),
    _S.DELIVERED: ("already_delivered", "it has already been delivered"),
    _S.PAYMENT_FAILED: ("payment_failed", "it was never paid, so there is nothing to cancel"),
}
"""Why an order of this status cannot be cancelled: a word for programs, a clause for people."""
