"""What is true of every change: of an order before and after it, and of what was told of it."""

from collections.abc import Iterator
from typing import Final

from order_core.events import (
    Happened,
    OrderCancelled,
    OrderDelivered,
    OrderOpened,
    OrderPlaced,
    OrderShipped,
    PaymentDeclined,
    PaymentFailed,
    PersonalDataErased,
    ProcessingBegan,
)
from order_core.invariants.evidence import Evidence
from order_core.invariants.kinds_of_order import ENDED, PLACED
from order_core.invariants.rule import Invariant, Scope
from order_core.order_status import TRANSITIONS, OrderStatus
from order_core.payment import PaymentTransaction, TransactionStatus

_NEXT_STATUSES_OF_A_FINAL_MOVEMENT: Final = {
    TransactionStatus.SUCCEEDED: frozenset({TransactionStatus.SUCCEEDED}),
    TransactionStatus.VOIDED: frozenset({TransactionStatus.VOIDED}),
    TransactionStatus.DECLINED: frozenset({TransactionStatus.DECLINED}),
    TransactionStatus.AUTHORIZED: frozenset(
        {TransactionStatus.AUTHORIZED, TransactionStatus.SUCCEEDED, TransactionStatus.VOIDED}
    ),
}

_LEADS_TO: Final[dict[type, OrderStatus]] = {
    OrderOpened: OrderStatus.AWAITING_PAYMENT,
    OrderPlaced: OrderStatus.PENDING,
    ProcessingBegan: OrderStatus.PROCESSING,
    OrderShipped: OrderStatus.SHIPPED,
    OrderDelivered: OrderStatus.DELIVERED,
    OrderCancelled: OrderStatus.CANCELLED,
}
_FAILS: Final = frozenset({PaymentDeclined, PaymentFailed})


def _statuses_along_the_table(evidence: Evidence) -> Iterator[str]:
    before, now = evidence.earlier, evidence.order
    if before and before.status is not now.status and now.status not in TRANSITIONS[before.status]:
        yield f"it moved from {before.status} to {now.status}"


def _begun_is_paid(evidence: Evidence) -> Iterator[str]:
    before, now = evidence.earlier, evidence.order
    begun = before and before.status is OrderStatus.PENDING
    if begun and now.status is OrderStatus.PROCESSING and not now.is_paid:
        yield f"it was begun: {now.captured_minor_units} of {now.total} was captured"


def _facts_only_added(evidence: Evidence) -> Iterator[str]:
    if evidence.earlier is None:
        return
    now = {t.id: t for t in evidence.order.transactions}
    for before in evidence.earlier.transactions:
        after = now.get(before.id)
        if after is None:
            yield f"{before.id} is gone"
        elif not _may_become(before, after):
            yield f"{before.id} was {before.status} and is {after.status}"


def _may_become(before: PaymentTransaction, after: PaymentTransaction) -> bool:
    allowed = _NEXT_STATUSES_OF_A_FINAL_MOVEMENT.get(before.status)
    return allowed is None or after.status in allowed


def _history_leads_here(evidence: Evidence) -> Iterator[str]:
    if evidence.history is None:
        return
    sequence = [happened.sequence for happened in evidence.history]
    if sequence != list(range(1, evidence.order.event_count + 1)):
        yield f"its events are numbered {sequence}, and it counts {evidence.order.event_count}"
    status: OrderStatus | None = None
    for happened in evidence.history:
        moved = _status_after(status, happened)
        if status and moved is not status and moved not in TRANSITIONS[status]:
            yield f"event {happened.sequence} moved it from {status} to {moved}"
        status = moved
    if status is not evidence.order.status:
        yield f"its events lead to {status}, and it is {evidence.order.status}"


def _status_after(status: OrderStatus | None, happened: Happened) -> OrderStatus | None:
    kind = type(happened.event)
    if kind in _LEADS_TO:
        return _LEADS_TO[kind]
    failed = kind in _FAILS and status is OrderStatus.AWAITING_PAYMENT
    return OrderStatus.PAYMENT_FAILED if failed else status


def _forgotten_for_good(evidence: Evidence) -> Iterator[str]:
    if evidence.history is None:
        return
    order = evidence.order
    if any(isinstance(h.event, PersonalDataErased) for h in evidence.history):
        # Without what they hold: a finding is printed, and may be sent to somebody.
        if order.shipping_address is not None or order.email is not None:
            yield "its address or contact was erased, and is there again"
        if back := [t.id for t in order.transactions if t.return_url is not None]:
            yield f"where its buyer came back to was erased, and {', '.join(back)} tells it"
    elif order.shipping_address is None:
        yield "it has no address, and nobody erased it"


def _told_stays_true(evidence: Evidence) -> Iterator[str]:
    now = evidence.order.status
    for told in evidence.told:
        if told in PLACED and now is OrderStatus.PAYMENT_FAILED:
            yield f"a client was told {told}, and it is {now}"
        if told in ENDED and now is not told:
            yield f"a client was told {told}, and it is {now}"


OVER_TIME: Final = (
    Invariant(
        "statuses_along_the_table",
        "A status changes only as the status table allows.",
        Scope.ALWAYS,
        _statuses_along_the_table,
    ),
    Invariant(
        "begun_is_paid",
        "An order is begun only once what was taken for it covers what it costs.",
        Scope.ALWAYS,
        _begun_is_paid,
    ),
    Invariant(
        "facts_only_added",
        "No movement of money is ever removed, and no final word on one is taken back.",
        Scope.ALWAYS,
        _facts_only_added,
    ),
    Invariant(
        "history_leads_here",
        "The events of an order, numbered without gaps, lead to its status.",
        Scope.ALWAYS,
        _history_leads_here,
    ),
    Invariant(
        "forgotten_for_good",
        "What was erased of a person does not come back, and nothing goes without being erased.",
        Scope.ALWAYS,
        _forgotten_for_good,
    ),
    Invariant(
        "told_stays_true",
        "Told 201 never becomes failed by itself; told 402 never becomes paid.",
        Scope.ALWAYS,
        _told_stays_true,
    ),
)
"""Rules about what an order was, and what was said of it."""
