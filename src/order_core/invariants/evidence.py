"""What somebody found out about one order, for the rules to look at."""

from dataclasses import dataclass
from datetime import datetime

from order_core.events import Happened, Reviewed
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind


@dataclass(frozen=True, slots=True)
class MovedMoney:
    """One movement that succeeded, as the provider itself has it on record."""

    kind: TransactionKind
    """CHARGE or CAPTURE: it was taken; REFUND: it was given back."""
    amount: Money
    reference: str


@dataclass(frozen=True, slots=True)
class StoredTotals:
    """What is stored beside an order's transactions, and must follow from them."""

    captured_minor_units: int
    refunded_minor_units: int
    refund_asked_minor_units: int
    attend_at: datetime | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one order. None: nobody looked there."""

    order: Order
    """As it is stored now."""
    earlier: Order | None = None
    """As it was stored before."""
    history: tuple[Happened, ...] | None = None
    """Everything that happened to it, oldest first."""
    at_provider: tuple[MovedMoney, ...] | None = None
    """The provider's own books about it. Only meaningful when nothing is under way."""
    told: tuple[OrderStatus, ...] = ()
    """The statuses that clients were told, in any order."""
    untold_events: int | None = None
    """How many events wait for their message, those not counted that were given up."""
    totals: StoredTotals | None = None

    @property
    def at_rest(self) -> bool:
        """Whether nobody has to look after the order any more."""
        return self.order.attend_at is None

    @property
    def left_to_people(self) -> bool:
        """Whether a person has to decide, or has decided, about its money."""
        if self.order.payment_status is PaymentStatus.IN_REVIEW:
            return True
        return any(isinstance(h.event, Reviewed) for h in self.history or ())
