"""The rows of one pretended database, shared by repository, work queue and outbox."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from order_core.errors import (
    ConcurrentUpdate,
    IdempotencyKeyReused,
    OrderNotFound,
    PaymentMethodInUse,
    PaymentReferenceTaken,
    PossibleDuplicate,
)
from order_core.events import Happened, OrderPlaced
from order_core.immutable import replace
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import Origin, PaymentTransaction, TransactionStatus
from order_core.ports import (
    Clock,
    DuplicateGuard,
    EventRecord,
    Lease,
    Notice,
    ReceivedEvent,
    RequestRecord,
)
from order_memory.finding import payment_reference

_NEVER_PLACED = frozenset({OrderStatus.PAYMENT_FAILED, OrderStatus.CANCELLED})
_UNMATCHED = "unknown_transaction"
_TOKEN_UNUSED = frozenset({TransactionStatus.DECLINED, TransactionStatus.FAILED})


_Transactions = list[PaymentTransaction]


class BrokenConstraint(AssertionError):
    """The order breaks a rule that a database enforces by constraint: a bug of whoever made it."""


@dataclass(frozen=True, slots=True)
class HeldLease:
    """Who holds an order, until when."""

    token: str
    until: datetime
    by_request: bool


class OrderRow(NamedTuple):
    """One order with everything that is stored beside it. A change makes a new row."""

    order: Order
    events: tuple[Happened, ...] = ()
    lease: HeldLease | None = None


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """An event that has to be told: due at `due_at`, until it is told or given up."""

    order_id: str
    happened: Happened
    due_at: datetime
    attempts: int = 0
    told: bool = False
    given_up_because: str | None = None

    @property
    def waits(self) -> bool:
        """Whether it has still to be told."""
        return not (self.told or self.given_up_because)


@dataclass(slots=True)
class Store:
    """Rows and indexes, and the rules that a database enforces on them.

    Each method is atomic: it checks everything first, and changes nothing if it raises.
    """

    clock: Clock
    _rows: dict[str, OrderRow] = field(default_factory=dict)
    _requests: dict[tuple[str, str, str], tuple[RequestRecord, str]] = field(default_factory=dict)
    _notices: dict[str, NoticeRow] = field(default_factory=dict)
    _by_content: dict[str, str] = field(default_factory=dict)
    _guards_from: dict[str, datetime] = field(default_factory=dict)
    _by_token: dict[str, str] = field(default_factory=dict)
    _by_reference: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _by_transaction: dict[str, str] = field(default_factory=dict)
    _payers: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    _due: list[tuple[datetime, str]] = field(default_factory=list)
    _untold: list[tuple[datetime, str]] = field(default_factory=list)
    _received: dict[tuple[str, str], ReceivedEvent] = field(default_factory=dict)
    _unmatched: dict[tuple[str, str], ReceivedEvent] = field(default_factory=dict)
    _taken_in: dict[EventRecord, datetime] = field(default_factory=dict)

    # Orders -------------------------------------------------------------------------------

    def row(self, order_id: str) -> OrderRow:
        try:
            return self._rows[order_id]
        except KeyError:
            raise OrderNotFound(order_id) from None

    def has(self, order_id: str) -> bool:
        """Whether the order is stored."""
        return order_id in self._rows

    def rows(self) -> Iterator[OrderRow]:
        return iter(tuple(self._rows.values()))

    def request(self, customer_id: str, route: str, key: str) -> tuple[RequestRecord, str] | None:
        """The request with this key, and the id of its order."""
        return self._requests.get((customer_id, route, key))

    def requests(self) -> Iterator[tuple[RequestRecord, str]]:
        """Every request that was kept, and the id of its order."""
        return iter(tuple(self._requests.values()))

    def order_of(self, transaction_id: str) -> str | None:
        """The id of the order that has this transaction."""
        return self._by_transaction.get(transaction_id)

    def payers(self, provider: str, account: str, reference: str) -> tuple[str, ...]:
        """The ids of the orders that ever had this payment of the provider."""
        return self._payers.get((provider, account, reference), ())

    def due(self) -> tuple[str, ...]:
        """The ids of the orders that somebody has to look after now, longest waiting first."""
        now = self.clock.now()
        ids = []
        for attend_at, order_id in self._due:
            if attend_at > now:
                break
            ids.append(order_id)
        return tuple(ids)

    def all_due(self) -> tuple[tuple[datetime, str], ...]:
        """Every order that does not rest, and when somebody looks after it, the next first."""
        return tuple(self._due)

    def next_due(self) -> datetime | None:
        """When somebody has to look after an order next; None while all of them rest."""
        return self._due[0][0] if self._due else None

    def next_claimable(self) -> datetime | None:
        """When a worker can claim an order next; None while all of them rest."""
        next_at: datetime | None = None
        for attend_at, order_id in self._due:
            if next_at is not None and attend_at >= next_at:
                break
            lease = self._rows[order_id].lease
            claimable_at = max(attend_at, lease.until) if lease else attend_at
            if next_at is None or claimable_at < next_at:
                next_at = claimable_at
        return next_at

    def save(
        self, order: Order, *, request: RequestRecord | None, guard: DuplicateGuard | None
    ) -> Order:
        before = self._rows.get(order.id)
        if order.version != (before.order.version if before else 0):
            raise ConcurrentUpdate(order.id)
        if request and self.request(request.customer_id, request.route, request.key):
            raise IdempotencyKeyReused(request.key)
        if guard and before is None:
            self._refuse_a_double_click(guard)
        changed = _unlike(order, before.order if before else None)
        self._refuse_what_another_order_has(order, changed)
        self._refuse_broken_totals(order)

        stored = replace(order, version=order.version + 1, news=())
        row = before or OrderRow(stored)
        if before:
            self._forget_claims(before.order, _unlike(before.order, stored))
        events = (*row.events, *order.news) if order.news else row.events
        self._rows[order.id] = OrderRow(stored, events, row.lease)
        self._remember_claims(stored, changed)
        if before is None and guard:
            self._by_content[guard.content_fingerprint] = order.id
        if before is None or any(isinstance(h.event, OrderPlaced) for h in order.news):
            self._guards_from[order.id] = self.clock.now()
        if request:
            key = (request.customer_id, request.route, request.key)
            self._requests[key] = (request, order.id)
        for happened in order.news:
            if happened.is_told:
                self.change_notice(NoticeRow(order.id, happened, self.clock.now()))
        return stored

    def forget_words(self, order_id: str, without_words: Callable[[Happened], Happened]) -> None:
        """Of the order's past events: what people wrote, and how a delivery was refused."""
        row = self.row(order_id)
        events = tuple(map(without_words, row.events))
        self._rows[order_id] = OrderRow(row.order, events, row.lease)
        self.forget_content(order_id)
        for notice_id, notice in self._notices.items():
            if notice.order_id == order_id and notice.given_up_because:
                self._notices[notice_id] = replace(notice, given_up_because="erased")

    def forget_content(self, order_id: str) -> None:
        """No later order is compared with this one any more."""
        self._by_content = {k: held for k, held in self._by_content.items() if held != order_id}

    def is_compared(self, order_id: str) -> bool:
        """Whether a later order is compared with this one."""
        return order_id in self._by_content.values()

    # What only one order may have ---------------------------------------------------------

    def _refuse_a_double_click(self, guard: DuplicateGuard) -> None:
        order_id = self._by_content.get(guard.content_fingerprint)
        if order_id is None or not guard.window:
            return
        equal = self._rows[order_id].order
        recent = self.clock.now() - self._guards_from[order_id] <= guard.window + guard.waited
        still_open = equal.status is OrderStatus.AWAITING_PAYMENT
        counts = still_open and not _may_be_paid_otherwise(equal.charge)
        if counts or (recent and equal.status not in _NEVER_PLACED):
            raise PossibleDuplicate(guard.window.total_seconds())

    def _refuse_what_another_order_has(self, order: Order, changed: _Transactions) -> None:
        for transaction in changed:
            token = claimed_token(transaction)
            if token and self._by_token.get(token, order.id) != order.id:
                raise PaymentMethodInUse
        for transaction in changed:
            reference = claimed_reference(transaction)
            if reference and self._by_reference.get(reference, order.id) != order.id:
                raise PaymentReferenceTaken(reference[0], reference[2])

        for transaction in changed:
            if self._by_transaction.get(transaction.id, order.id) != order.id:
                raise BrokenConstraint(f"transaction {transaction.id} is another order's")

    def _refuse_broken_totals(self, order: Order) -> None:
        if len(order.transactions) == 1:
            # A charge alone breaks neither rule.
            return
        ours = [
            t for t in order.transactions if t.takes_money and t.is_live and t.origin is Origin.OURS
        ]
        if len(ours) > 1:
            raise BrokenConstraint(f"order {order.id} has {len(ours)} live charges of ours")
        if order.refund_asked_minor_units > order.captured_minor_units:
            raise BrokenConstraint(
                f"order {order.id} asks {order.refund_asked_minor_units} back "
                f"of {order.captured_minor_units}"
            )

    def _forget_claims(self, order: Order, changed: _Transactions) -> None:
        for transaction in changed:
            if token := claimed_token(transaction):
                self._by_token.pop(token, None)
            if reference := claimed_reference(transaction):
                self._by_reference.pop(reference, None)
        if (attend_at := order.attend_at) is not None:
            _take_out(self._due, (attend_at, order.id))

    def _remember_claims(self, order: Order, changed: _Transactions) -> None:
        for transaction in changed:
            self._by_transaction[transaction.id] = order.id
            if token := claimed_token(transaction):
                self._by_token[token] = order.id
            if reference := claimed_reference(transaction):
                self._by_reference[reference] = order.id
            payment = payment_reference(transaction)
            if payment and order.id not in self._payers.get(payment, ()):
                self._payers[payment] = (*self._payers.get(payment, ()), order.id)
        if (attend_at := order.attend_at) is not None:
            insort(self._due, (attend_at, order.id))

    # Leases -------------------------------------------------------------------------------

    def lease(self, order_id: str) -> HeldLease | None:
        """The lease that somebody holds on the order now."""
        lease = self.row(order_id).lease
        return lease if lease and lease.until > self.clock.now() else None

    def take(self, lease: Lease) -> bool:
        """Begin `lease` if nobody else holds the order; whether it is held now."""
        held = self.lease(lease.order_id)
        if held and held.token != lease.token:
            return False
        until = self.clock.now() + lease.duration
        begun = HeldLease(lease.token, until, lease.by_request)
        row = self.row(lease.order_id)
        self._rows[lease.order_id] = OrderRow(row.order, row.events, begun)
        return True

    def release(self, lease: Lease) -> None:
        """End `lease`, if it is the one that is held."""
        held = self.lease(lease.order_id) if lease.order_id in self._rows else None
        if held and held.token == lease.token:
            row = self.row(lease.order_id)
            self._rows[lease.order_id] = OrderRow(row.order, row.events)

    # Received events ----------------------------------------------------------------------

    def receive(self, event: ReceivedEvent) -> bool:
        """Whether the event is new. The first form of it is kept."""
        if (event.provider, event.event_id) in self._received:
            return False
        if event.order_id is not None and event.order_id not in self._rows:
            raise BrokenConstraint(f"event {event.event_id} names an order that is not there")
        self._keep(event)
        return True

    def has_received(self, provider: str, event_id: str) -> bool:
        """Whether the event is remembered."""
        return (provider, event_id) in self._received

    def match(self, event: ReceivedEvent) -> bool:
        """Whether the event was unmatched until now."""
        known = self._received.get((event.provider, event.event_id))
        if known is None or known.verdict != _UNMATCHED:
            return False
        self._keep(replace(known, verdict=event.verdict, order_id=event.order_id))
        return True

    def forget_event(self, event: ReceivedEvent) -> None:
        """As if it had never come."""
        del self._received[event.provider, event.event_id]
        self._unmatched.pop((event.provider, event.event_id), None)

    def received(self) -> Iterator[ReceivedEvent]:
        return iter(tuple(self._received.values()))

    def unmatched(self) -> tuple[ReceivedEvent, ...]:
        """The received events that no order is known for yet."""
        return tuple(self._unmatched.values())

    def taken_in_until(self, record: EventRecord) -> datetime | None:
        """Everything in the record before then was taken in; None: nobody has said."""
        return self._taken_in.get(record)

    def note_taken_in(
        self, record: EventRecord, *, until: datetime, before: datetime | None
    ) -> bool:
        """Whether `before` stood there, and `until` does now."""
        if self._taken_in.get(record) != before:
            return False
        self._taken_in[record] = until
        return True

    def _keep(self, event: ReceivedEvent) -> None:
        key = (event.provider, event.event_id)
        self._received[key] = event
        if event.verdict == _UNMATCHED:
            self._unmatched[key] = event
        else:
            self._unmatched.pop(key, None)

    # Notices ------------------------------------------------------------------------------

    def waiting_notices(self, order_id: str) -> tuple[NoticeRow, ...]:
        """The order's notices that were neither told nor given up, due or not."""
        return tuple(
            n
            for n in self._notices.values()
            if n.order_id == order_id and not n.told and not n.given_up_because
        )

    def all_waiting_notices(self) -> tuple[NoticeRow, ...]:
        """Every notice that was neither told nor given up, the next one first."""
        return tuple(self._notices[notice_id] for _, notice_id in self._untold)

    def untold(self) -> tuple[NoticeRow, ...]:
        """The notices that are due now, oldest first."""
        now = self.clock.now()
        due = []
        for due_at, notice_id in self._untold:
            if due_at > now:
                break
            due.append(self._notices[notice_id])
        return tuple(sorted(due, key=lambda n: (n.happened.at, n.order_id, n.happened.sequence)))

    def next_notice(self) -> datetime | None:
        """When a notice is due next; None when everything is told or given up."""
        return self._untold[0][0] if self._untold else None

    def given_up(self) -> tuple[NoticeRow, ...]:
        return tuple(n for n in self._notices.values() if n.given_up_because)

    def change_notice(self, notice: NoticeRow) -> None:
        notice_id = _notice_id(notice)
        before = self._notices.get(notice_id)
        if before and before.waits:
            _take_out(self._untold, (before.due_at, notice_id))
        self._notices[notice_id] = notice
        if notice.waits:
            insort(self._untold, (notice.due_at, notice_id))

    def notice_of(self, order_id: str, happened: Happened) -> NoticeRow | None:
        """None for an event that the customer does not hear of."""
        return self._notices.get(f"{order_id}.{happened.sequence}")

    def notice(self, notice: Notice) -> NoticeRow:
        return self._notices[notice.id]


def _take_out(waiting: list[tuple[datetime, str]], entry: tuple[datetime, str]) -> None:
    # Sorted, so that what is due stands in front, and equal stores keep equal lists.
    del waiting[bisect_left(waiting, entry)]


def _unlike(order: Order, other: Order | None) -> _Transactions:
    """The movements of `order` that `other` does not have in this very form."""
    known = {id(transaction) for transaction in other.transactions} if other else ()
    return [transaction for transaction in order.transactions if id(transaction) not in known]


def _notice_id(notice: NoticeRow) -> str:
    return f"{notice.order_id}.{notice.happened.sequence}"


def _may_be_paid_otherwise(charge: PaymentTransaction) -> bool:
    """Whether the charge waits for the buyer, who may have another card in his hand by now."""
    waits_for_him = charge.status is TransactionStatus.ACTION_REQUIRED
    return waits_for_him and charge.single_use_fingerprint is not None


def claimed_token(transaction: PaymentTransaction) -> str | None:
    """The fingerprint that no other charge may have."""
    # A voided charge has used its token up; only a charge that never was leaves it free.
    if transaction.takes_money and transaction.status not in _TOKEN_UNUSED:
        return transaction.single_use_fingerprint
    return None


def claimed_reference(transaction: PaymentTransaction) -> tuple[str, str, str] | None:
    """Provider, account and reference that no other charge may have."""
    if transaction.takes_money and transaction.is_live and transaction.provider_reference:
        return (transaction.provider, transaction.account, transaction.provider_reference)
    return None
