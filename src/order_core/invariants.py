"""What is true of every order: each rule with a name, a sentence and a check.

Tests, the explorer, the simulator, the chaos run and `order-core verify` all ask here, so
that a promise is written once. A check looks at the evidence about one order and says what
contradicts its sentence; evidence that nobody collected contradicts nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final

from order_core.events import (
    Happened,
    OrderCancelled,
    OrderOpened,
    OrderPlaced,
    PaymentDeclined,
    PaymentFailed,
    ProcessingBegan,
    Reviewed,
)
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_item import total_of
from order_core.order_status import TRANSITIONS, OrderStatus
from order_core.payment import (
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)

_TAKES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE})
_PLACED: Final = frozenset(
    {
        OrderStatus.PENDING,
        OrderStatus.PROCESSING,
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
    }
)
_ENDED: Final = frozenset({OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED})
_NEXT_STATUSES_OF_A_FINAL_MOVEMENT: Final = {
    TransactionStatus.SUCCEEDED: frozenset({TransactionStatus.SUCCEEDED}),
    TransactionStatus.VOIDED: frozenset({TransactionStatus.VOIDED}),
    TransactionStatus.DECLINED: frozenset({TransactionStatus.DECLINED}),
    TransactionStatus.AUTHORIZED: frozenset(
        {TransactionStatus.AUTHORIZED, TransactionStatus.SUCCEEDED, TransactionStatus.VOIDED}
    ),
}


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


class Scope(Enum):
    """When an invariant holds."""

    ALWAYS = auto()
    AT_REST = auto()
    """When nothing is open any more, and no person has to decide or has decided."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule. `check` yields a sentence for each contradiction that it finds."""

    name: str
    says: str
    scope: Scope
    check: Callable[[Evidence], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Violation:
    """An order that breaks an invariant, and how."""

    invariant: Invariant
    order_id: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant.name}: order {self.order_id}: {self.detail}"


def violations(evidence: Evidence) -> tuple[Violation, ...]:
    """Every contradiction between the evidence and the invariants."""
    quiet = evidence.at_rest and not evidence.left_to_people
    return tuple(
        Violation(invariant, evidence.order.id, detail)
        for invariant in INVARIANTS
        if invariant.scope is Scope.ALWAYS or quiet
        for detail in invariant.check(evidence)
    )


# Always ---------------------------------------------------------------------------------------


def _begins_with_its_charge(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if not order.transactions:
        yield "it has no movement of money at all"
        return
    if not (order.charge.takes_money and order.charge.origin is Origin.OURS):
        yield f"it begins with {order.charge.id}, a {order.charge.kind} by {order.charge.origin}"
    known = {t.id for t in order.transactions}
    for transaction in order.transactions:
        owner = (transaction.order_id, transaction.customer_id)
        if owner != (order.id, order.customer_id):
            yield f"{transaction.id} names order and customer {owner}"
        if transaction.parent_id is not None and transaction.parent_id not in known:
            yield f"{transaction.id} follows {transaction.parent_id}, which it does not have"


def _totals_follow(evidence: Evidence) -> Iterator[str]:
    if evidence.totals is None:
        return
    for name in ("captured_minor_units", "refunded_minor_units", "refund_asked_minor_units"):
        stored, follows = getattr(evidence.totals, name), getattr(evidence.order, name)
        if stored != follows:
            yield f"{name} is stored as {stored}, and its movements come to {follows}"
    if evidence.totals.attend_at != evidence.order.attend_at:
        yield (
            f"it is looked after at {evidence.totals.attend_at}, "
            f"and its movements at {evidence.order.attend_at}"
        )


def _one_live_charge(evidence: Evidence) -> Iterator[str]:
    live = [
        t.id
        for t in evidence.order.transactions
        if t.takes_money and t.is_live and t.origin is Origin.OURS
    ]
    if len(live) > 1:
        yield f"{', '.join(live)} are all alive"


def _second_debit_reported(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    taken = [
        t
        for t in order.transactions
        if t.kind in _TAKES and t.status is TransactionStatus.SUCCEEDED
    ]
    for second in taken[1:]:
        if not (evidence.left_to_people or order.status in _ENDED):
            yield f"{second.id} was taken beside {taken[0].id}, and nobody is told to look at it"


def _refunds_within_capture(evidence: Evidence) -> Iterator[str]:
    asked = evidence.order.refund_asked_minor_units
    captured = evidence.order.captured_minor_units
    if asked > captured:
        yield f"{asked} asked back of {captured} captured (minor units)"


def _charge_is_the_total(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if total_of(order.items) != order.total:
        yield f"its items sum up to {total_of(order.items)}, and its total is {order.total}"
    if not order.transactions:
        return
    if order.charge.amount != order.total and not evidence.left_to_people:
        yield f"it is charged {order.charge.amount}, and its total is {order.total}"


def _open_is_attended(evidence: Evidence) -> Iterator[str]:
    for transaction in evidence.order.transactions:
        if transaction.is_open and transaction.attend_at is None:
            yield f"{transaction.id} is {transaction.status}, and nobody looks after it"


def _secrets_erased(evidence: Evidence) -> Iterator[str]:
    for transaction in evidence.order.transactions:
        secret = transaction.token or transaction.client_secret
        if secret and not transaction.is_open:
            yield f"{transaction.id} is {transaction.status}, and still keeps its token or secret"


def _statuses_along_the_table(evidence: Evidence) -> Iterator[str]:
    before, now = evidence.earlier, evidence.order
    if before and before.status is not now.status and now.status not in TRANSITIONS[before.status]:
        yield f"it moved from {before.status} to {now.status}"


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
    match happened.event:
        case OrderOpened():
            return OrderStatus.AWAITING_PAYMENT
        case OrderPlaced():
            return OrderStatus.PENDING
        case ProcessingBegan():
            return OrderStatus.PROCESSING
        case OrderCancelled():
            return OrderStatus.CANCELLED
        case PaymentDeclined() | PaymentFailed() if status is OrderStatus.AWAITING_PAYMENT:
            return OrderStatus.PAYMENT_FAILED
        case _:
            return status


def _told_stays_true(evidence: Evidence) -> Iterator[str]:
    now = evidence.order.status
    for told in evidence.told:
        if told in _PLACED and now is OrderStatus.PAYMENT_FAILED:
            yield f"a client was told {told}, and it is {now}"
        if told in _ENDED and now is not told:
            yield f"a client was told {told}, and it is {now}"


# At rest --------------------------------------------------------------------------------------


def _placed_is_paid(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if order.status not in _PLACED or not order.transactions:
        return
    hold = order.charge
    held = hold.status is TransactionStatus.AUTHORIZED and hold.amount == order.total
    # Goods leave only against money; until then a hold may end, and the shop is told.
    ended = hold.status is TransactionStatus.VOIDED
    if order.status is OrderStatus.PENDING and (held or ended):
        return
    if order.captured_minor_units != order.total.minor_units:
        yield f"it is {order.status}: {order.captured_minor_units} of {order.total} was captured"


def _ended_nets_to_zero(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if order.status not in _ENDED:
        return
    kept = order.captured_minor_units - order.refunded_minor_units
    if kept > 0:
        # What the bank took back was taken, and nobody gives it back a second time.
        kept = max(kept - _lost_to_disputes(order), 0)
    if kept:
        yield f"it is {order.status} and keeps {kept} minor units"
    held = [t.id for t in order.transactions if t.status is TransactionStatus.AUTHORIZED]
    if held:
        yield f"it is {order.status} and still holds {', '.join(held)}"


def _lost_to_disputes(order: Order) -> int:
    # What came back of a refund hangs on the refund, and is ours to give again.
    paid = [t for t in order.transactions if t.takes_money or t.kind in _TAKES]
    return sum(order.taken_back_of(t) for t in paid if not order.is_disputed(t))


def _nothing_is_open(evidence: Evidence) -> Iterator[str]:
    for transaction in evidence.order.transactions:
        if transaction.is_open:
            yield f"{transaction.id} is {transaction.status}"


def _books_agree(evidence: Evidence) -> Iterator[str]:
    if evidence.at_provider is None:
        return
    order = evidence.order
    ours = sorted(
        (t.kind in _TAKES, t.amount.minor_units)
        for t in order.transactions
        if t.status is TransactionStatus.SUCCEEDED
        and (t.kind in _TAKES or t.kind is TransactionKind.REFUND)
    )
    theirs = sorted((m.kind in _TAKES, m.amount.minor_units) for m in evidence.at_provider)
    if ours != theirs:
        yield f"our books have {_as_words(ours)}; the provider has {_as_words(theirs)}"


def _as_words(movements: list[tuple[bool, int]]) -> str:
    words = [f"{'taken' if took else 'given back'} {amount}" for took, amount in movements]
    return ", ".join(words) or "nothing"


def _events_delivered(evidence: Evidence) -> Iterator[str]:
    if evidence.untold_events:
        yield f"{evidence.untold_events} of its events were never told"


INVARIANTS: Final = (
    Invariant(
        "begins_with_its_charge",
        "An order begins with a charge of ours, and every movement follows one of its own.",
        Scope.ALWAYS,
        _begins_with_its_charge,
    ),
    Invariant(
        "totals_follow",
        "The stored totals are what the stored movements come to.",
        Scope.ALWAYS,
        _totals_follow,
    ),
    Invariant(
        "one_live_charge",
        "At most one charge of ours is alive on an order.",
        Scope.ALWAYS,
        _one_live_charge,
    ),
    Invariant(
        "second_debit_reported",
        "A second debit on a placed order is put before a person.",
        Scope.ALWAYS,
        _second_debit_reported,
    ),
    Invariant(
        "refunds_within_capture",
        "We never ask back more than was captured.",
        Scope.ALWAYS,
        _refunds_within_capture,
    ),
    Invariant(
        "charge_is_the_total",
        "What is charged is the order's total, which is the sum of its items.",
        Scope.ALWAYS,
        _charge_is_the_total,
    ),
    Invariant(
        "open_is_attended",
        "Whatever is not final has a time at which somebody looks after it.",
        Scope.ALWAYS,
        _open_is_attended,
    ),
    Invariant(
        "secrets_erased",
        "A final movement keeps neither payment token nor client secret.",
        Scope.ALWAYS,
        _secrets_erased,
    ),
    Invariant(
        "statuses_along_the_table",
        "A status changes only as the status table allows.",
        Scope.ALWAYS,
        _statuses_along_the_table,
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
        "told_stays_true",
        "Told 201 never becomes failed by itself; told 402 never becomes paid.",
        Scope.ALWAYS,
        _told_stays_true,
    ),
    Invariant(
        "nothing_is_open",
        "An order that rests has no movement without a last word.",
        Scope.AT_REST,
        _nothing_is_open,
    ),
    Invariant(
        "placed_is_paid",
        "A placed order is paid in full, or held in full until it is processed.",
        Scope.AT_REST,
        _placed_is_paid,
    ),
    Invariant(
        "ended_nets_to_zero",
        "A cancelled or failed order keeps nothing and holds nothing.",
        Scope.AT_REST,
        _ended_nets_to_zero,
    ),
    Invariant(
        "books_agree",
        "What we have on record is what the provider has on record.",
        Scope.AT_REST,
        _books_agree,
    ),
    Invariant(
        "events_delivered",
        "Every event that the customer should hear of was told.",
        Scope.AT_REST,
        _events_delivered,
    ),
)
"""Every rule about a single order."""
