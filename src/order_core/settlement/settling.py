"""What every part of a settlement looks at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from order_core.order import Order
from order_core.payment import PaymentTransaction
from order_core.payment_terms import PaymentTerms


@dataclass(frozen=True, slots=True)
class Settling:
    """One fact on its way into an order: the order, and which of its transactions it is about."""

    order: Order
    transaction: PaymentTransaction
    at: datetime
    new_id: Callable[[], str]
    terms: PaymentTerms
