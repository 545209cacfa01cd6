"""What an order says of a person goes; what it says of goods and money stays."""

from datetime import datetime
from typing import Final

from order_core.events import PersonalDataErased
from order_core.immutable import replace
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.shipping import money_is_gone

ERASED: Final = "erased"
"""What stands where a tracking number stood."""

_NEEDS_NO_ADDRESS: Final = frozenset(
    {
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
        OrderStatus.CANCELLED,
        OrderStatus.PAYMENT_FAILED,
    }
)


def is_erased(order: Order) -> bool:
    """Whether nothing is left to erase."""
    return order.shipping_address is None and order.email is None


def erasure_refusal(order: Order, *, untold_events: int) -> tuple[str, str] | None:
    """Why its personal data is still needed (a word, a clause), or None when it is not.

    `untold_events` is how many of its events the customer has still to hear of.
    """
    if any(t.is_open for t in order.transactions):
        return ("money_moving", "the outcome of a payment or refund is not known yet")
    if order.payment_status is PaymentStatus.IN_REVIEW:
        return ("in_review", "a person has to decide about its payment")
    if any(order.is_disputed(t) for t in order.transactions):
        return ("disputed", "the bank has not decided a dispute, whose evidence it may be")
    # Nobody ships what nobody paid for, and staff cannot cancel it.
    if order.status not in _NEEDS_NO_ADDRESS and not money_is_gone(order):
        return ("not_shipped", f"it is {order.status}, and has still to be shipped")
    if order.attend_at is not None:
        return ("looked_after", "the provider is asked about its payment once more")
    if untold_events:
        return ("notices_waiting", "its customer has not been told yet what happened to it")
    return None


def erased(order: Order, *, at: datetime) -> Order:
    """The order without address and contact, and without where its buyer came back to.

    It has no contact from now on, so nobody is told of what happens to it later.
    """
    if is_erased(order):
        return order
    return replace(
        order,
        shipping_address=None,
        email=None,
        # Whoever has the number can ask the carrier where the parcel went.
        shipments=tuple(replace(each, tracking_number=ERASED) for each in order.shipments),
        transactions=tuple(replace(t, return_url=None) for t in order.transactions),
    ).with_news(PersonalDataErased(), at)
