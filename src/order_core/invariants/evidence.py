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
class AliveMovement:
    """One movement that the provider has carried out, or may still carry out, as of now."""

    transaction_id: str | None
    """Our id of it; None: nobody here asked for it."""
    kind: TransactionKind
    is_done: bool
    """Whether the money is taken, held or given back; else it may be, later."""
    says: str
    """What the provider would say of it, in words."""


@dataclass(frozen=True, slots=True)
class RefundWish:
    """What staff asked to give back, once."""

    minor_units: int | None
    """None: all that is left."""
    is_accepted: bool = False
    is_refused: bool = False
    """Neither: whether it was heard, nobody knows."""


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
    held_at_provider: int | None = None
    """How many holds the provider keeps for it. Only meaningful when nothing is under way."""
    alive_at_provider: tuple[AliveMovement, ...] | None = None
    """What the provider has done, or may still do, at this very moment. Movements by which it
    broke its own promises (a request that arrives after its horizon) do not belong here."""
    told: tuple[OrderStatus, ...] = ()
    """The statuses that clients were told, in any order."""
    untold_events: int | None = None
    """How many events wait for their message, those not counted that were given up."""
    totals: StoredTotals | None = None
    refund_wishes: tuple[RefundWish, ...] | None = None
    """Everything that anybody here asked to give back."""
    had_all_time: bool = False
    """Whether it was given all the time that it could ever need, with nothing going wrong."""
    spares_people: bool = False
    """Whether nothing happened about which a person would have to decide."""
    people_decided: bool = False
    """Whether staff answered whatever it was asked about it."""

    @property
    def at_rest(self) -> bool:
        """Whether nobody has to look after the order any more."""
        return self.order.attend_at is None

    @property
    def left_to_people(self) -> bool:
        """Whether a person has to decide, or has decided, about its money."""
        return self.order.payment_status is PaymentStatus.IN_REVIEW or self.decided_by_people

    @property
    def decided_by_people(self) -> bool:
        """Whether a person has decided about its money."""
        return any(isinstance(h.event, Reviewed) for h in self.history or ())
