"""An order is cancelled, and gives back whatever it took."""

from collections.abc import Callable
from datetime import datetime

from order_core.errors import CannotCancel
from order_core.events import OrderCancelled
from order_core.giving_back import giving_back
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment_terms import PaymentTerms


def cancelled(
    order: Order, *, by: str, at: datetime, new_id: Callable[[], str], terms: PaymentTerms
) -> Order:
    """The cancelled order, with every refund or void recorded that it now owes.

    Cancelling twice changes nothing. An open charge is not sent any more; it is asked
    about until it is settled, and what it took is given back.

    Raises:
        CannotCancel: the status table says no.
    """
    if order.status is OrderStatus.CANCELLED:
        return order
    if refusal := order.cancel_refusal:
        raise CannotCancel(order.id, *refusal)
    order = order.moved_to(OrderStatus.CANCELLED).with_news(OrderCancelled(by), at)
    return giving_back(order, at=at, new_id=new_id, terms=terms)
