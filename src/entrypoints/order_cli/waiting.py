"""Movements of money and events that wait, and whom or what they wait for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.order import Order
from order_core.payment import PaymentTransaction, TransactionStatus
from order_core.ports.order_repository import ReceivedEvent

HUMAN: Final = "a human"
PROVIDER: Final = "the provider"
BUYER: Final = "the buyer"
WORKER: Final = "the worker"

_WAITS_FOR: Final = {
    TransactionStatus.RECORDED: WORKER,
    TransactionStatus.UNKNOWN: PROVIDER,
    TransactionStatus.PENDING: PROVIDER,
    TransactionStatus.ACTION_REQUIRED: BUYER,
    TransactionStatus.IN_REVIEW: HUMAN,
}
_WHY: Final = {
    TransactionStatus.RECORDED: "it is recorded, and about to be sent",
    TransactionStatus.UNKNOWN: "it gave no clear answer; it is asked until it does",
    TransactionStatus.PENDING: "the payment method takes its time",
    TransactionStatus.ACTION_REQUIRED: "the payment has to be approved",
    TransactionStatus.IN_REVIEW: "it contradicts what we asked for",
}


@dataclass(frozen=True, slots=True)
class WaitingMovement:
    """One movement of money that is not at rest."""

    order_id: str
    order_status: str
    transaction_id: str
    kind: str
    status: str
    amount: str
    provider: str
    provider_reference: str | None
    since: datetime
    waits_for: str
    because: str
    next_look_at: datetime | None
    """When the worker asks again; None when only somebody's action helps."""


@dataclass(frozen=True, slots=True)
class UnmatchedEvent:
    """A provider's event about a payment that no order here knows."""

    provider: str
    event_id: str
    name: str
    received_at: datetime
    waits_for: str = HUMAN
    because: str = "it names a payment that no order here knows; look at the provider's dashboard"


def waiting_movements(orders: Iterable[Order]) -> tuple[WaitingMovement, ...]:
    """What waits in these orders, by order."""
    return tuple(
        _movement(order, transaction)
        for order in orders
        for transaction in order.transactions
        if _waits(transaction)
    )


def unmatched_events(events: Iterable[ReceivedEvent]) -> tuple[UnmatchedEvent, ...]:
    """The events that nobody here can place."""
    return tuple(
        UnmatchedEvent(event.provider, event.event_id, event.name, event.received_at)
        for event in events
    )


def _waits(transaction: PaymentTransaction) -> bool:
    return (
        transaction.is_open
        or transaction.status is TransactionStatus.IN_REVIEW
        or transaction.review is not None
    )


def _movement(order: Order, transaction: PaymentTransaction) -> WaitingMovement:
    status = TransactionStatus.IN_REVIEW if transaction.review else transaction.status
    word = transaction.review or transaction.reason
    return WaitingMovement(
        order_id=order.id,
        order_status=order.status.value,
        transaction_id=transaction.id,
        kind=transaction.kind.value,
        status=transaction.status.value,
        amount=str(transaction.amount),
        provider=transaction.provider,
        provider_reference=transaction.provider_reference,
        since=transaction.recorded_at,
        waits_for=_WAITS_FOR[status],
        because=_WHY[status] + (f" ({word})" if word else ""),
        next_look_at=transaction.attend_at,
    )
