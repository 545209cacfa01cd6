"""What happened to an order, in past tense. Stored with the change, told afterwards."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

CUSTOMER: Final = "customer"
"""Who did it: the owner of the order, without anybody between."""


def by_customer(actor: str | None) -> str:
    """Who did it: the customer, or the service account `actor` for the customer."""
    return CUSTOMER if actor is None else f"{actor} for {CUSTOMER}"


@dataclass(frozen=True, slots=True)
class OrderOpened:
    """The order and the wish to charge it are stored; no money has moved yet."""

    name: ClassVar[str] = "order_opened"
    transaction_id: str
    amount: str
    provider: str
    by: str = CUSTOMER


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    name: ClassVar[str] = "order_placed"
    transaction_id: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class BuyerActionRequired:
    name: ClassVar[str] = "buyer_action_required"
    transaction_id: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class PaymentPending:
    name: ClassVar[str] = "payment_pending"
    transaction_id: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class OutcomeBecameUnknown:
    """The provider gave no clear answer; it will be asked until it does."""

    name: ClassVar[str] = "outcome_unknown"
    transaction_id: str
    because: str


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    name: ClassVar[str] = "payment_declined"
    transaction_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """It is proven that the payment did not happen and cannot happen any more."""

    name: ClassVar[str] = "payment_failed"
    transaction_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    name: ClassVar[str] = "order_cancelled"
    by: str


@dataclass(frozen=True, slots=True)
class LatePaymentReceived:
    """Money arrived for an order that no longer wants it; it goes back."""

    name: ClassVar[str] = "late_payment_received"
    transaction_id: str
    amount: str


@dataclass(frozen=True, slots=True)
class RefundRecorded:
    name: ClassVar[str] = "refund_recorded"
    transaction_id: str
    amount: str
    by: str | None = None
    """Who asked for it; None: it follows from what happened before, a cancellation say."""


@dataclass(frozen=True, slots=True)
class PaymentRefunded:
    name: ClassVar[str] = "payment_refunded"
    transaction_id: str
    amount: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class VoidRecorded:
    name: ClassVar[str] = "void_recorded"
    transaction_id: str
    parent_id: str


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    name: ClassVar[str] = "payment_voided"
    transaction_id: str


@dataclass(frozen=True, slots=True)
class ReversalDeclined:
    """The provider refused a refund or void; `again` says whether a new attempt follows."""

    name: ClassVar[str] = "reversal_declined"
    transaction_id: str
    reason: str
    again: bool


@dataclass(frozen=True, slots=True)
class CaptureRecorded:
    name: ClassVar[str] = "capture_recorded"
    transaction_id: str
    amount: str
    by: str | None = None
    """Who wants to begin processing; None: nobody yet, and the hold is about to end."""


@dataclass(frozen=True, slots=True)
class PaymentCaptured:
    name: ClassVar[str] = "payment_captured"
    transaction_id: str
    amount: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class CaptureDeclined:
    name: ClassVar[str] = "capture_declined"
    transaction_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class AuthorizationEnded:
    """The provider holds the money no longer, and it was not taken."""

    name: ClassVar[str] = "authorization_ended"
    transaction_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProcessingBegan:
    name: ClassVar[str] = "processing_began"
    by: str


@dataclass(frozen=True, slots=True)
class OrderShipped:
    """A parcel of the order left; the order knows its carrier and number."""

    name: ClassVar[str] = "order_shipped"
    shipment_id: str
    by: str


@dataclass(frozen=True, slots=True)
class OrderDelivered:
    name: ClassVar[str] = "order_delivered"
    by: str


@dataclass(frozen=True, slots=True)
class ProviderMovedMoney:
    """The provider moved money of this order without being asked by us."""

    name: ClassVar[str] = "provider_moved_money"
    transaction_id: str
    kind: str
    amount: str
    provider_reference: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    name: ClassVar[str] = "reviewed"
    transaction_id: str
    decision: str
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class PutInReview:
    """The provider's fact breaks a rule of ours; a person decides."""

    name: ClassVar[str] = "put_in_review"
    transaction_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PersonalDataErased:
    """Where the goods went, and where the customer was told of it, is not known any more."""

    name: ClassVar[str] = "personal_data_erased"


Event = (
    OrderOpened
    | OrderPlaced
    | BuyerActionRequired
    | PaymentPending
    | OutcomeBecameUnknown
    | PaymentDeclined
    | PaymentFailed
    | OrderCancelled
    | LatePaymentReceived
    | RefundRecorded
    | PaymentRefunded
    | VoidRecorded
    | PaymentVoided
    | ReversalDeclined
    | PutInReview
    | CaptureRecorded
    | PaymentCaptured
    | CaptureDeclined
    | AuthorizationEnded
    | ProcessingBegan
    | OrderShipped
    | OrderDelivered
    | ProviderMovedMoney
    | Reviewed
    | PersonalDataErased
)

EVENT_TYPES: Final[dict[str, type[Event]]] = {
    kind.name: kind
    for kind in (
        OrderOpened,
        OrderPlaced,
        BuyerActionRequired,
        PaymentPending,
        OutcomeBecameUnknown,
        PaymentDeclined,
        PaymentFailed,
        OrderCancelled,
        LatePaymentReceived,
        RefundRecorded,
        PaymentRefunded,
        VoidRecorded,
        PaymentVoided,
        ReversalDeclined,
        PutInReview,
        CaptureRecorded,
        PaymentCaptured,
        CaptureDeclined,
        AuthorizationEnded,
        ProcessingBegan,
        OrderShipped,
        OrderDelivered,
        ProviderMovedMoney,
        Reviewed,
        PersonalDataErased,
    )
}
"""Stored name -> type. Names are kept for ever; an event that was stored must stay readable."""

TOLD_TO_THE_CUSTOMER: Final[frozenset[type[Event]]] = frozenset(
    {OrderPlaced, OrderCancelled, OrderShipped, PaymentRefunded}
)
"""The events whose effect is a message; the others are history only."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of an order: the `sequence`-th, counted from 1 without gaps."""

    sequence: int
    at: datetime
    event: Event

    @property
    def is_told(self) -> bool:
        """Whether the customer hears of it."""
        return type(self.event) in TOLD_TO_THE_CUSTOMER
