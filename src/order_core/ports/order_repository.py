"""The port that keeps orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from order_core.errors import InvalidValue
from order_core.events import Happened
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.ports.event_log import EventRecord, TakenIn
from order_core.ports.owner_view import OwnerView, ViewedOrder, ViewedPage
from order_core.ports.webhook_parser import ProviderFact

MAX_PAGE: Final = 100
"""The most orders of one page."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """The memory of one request that carried an Idempotency-Key; kept as long as the order."""

    customer_id: str
    route: str
    key: str
    body_fingerprint: str


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """An earlier request with the same key: what it asked, and its order as it is now."""

    record: RequestRecord
    order: Order
    in_progress: bool
    """Whether that request still holds the order, by the store's own clock."""


@dataclass(frozen=True, slots=True)
class DuplicateGuard:
    """Refuses a new order whose content equals that of the guarded one before it.

    That one was opened or placed at most `window` before, or still waits for its payment: a
    buyer whom a slow provider keeps waiting clicks again, and later than anybody's window.
    The window is measured by the store's own clock, which both orders share, up to when the save
    was asked for, less what was `waited` before: a click that comes late, because something
    kept it waiting, is as much a double click as if it had come in time.
    While it is the buyer whom the payment waits for, and its token pays once, it counts for
    the window only: it takes nothing by itself, and he may want to pay with another card.
    An order that failed or was cancelled since does not count.
    """

    content_fingerprint: str
    window: timedelta
    waited: timedelta = timedelta(0)
    """Between the buyer's click and the call of `save`."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send for an order and to conclude from absence, for a while.

    `token` tells this lease from a later one on the same order; `by_request` tells the
    lease of a client's request, whose answer a repeated request waits for, from a worker's.
    """

    order_id: str
    token: str
    duration: timedelta
    by_request: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save made of the order and of the lease asked for."""

    order: Order
    """As stored: with the new version and without news."""
    holds_lease: bool
    """Whether the lease asked for with the save was free, and is now held."""


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders to list, newest first. `customer_id` None means those of all customers.

    Raises:
        InvalidValue: a limit outside 1..`MAX_PAGE`, or a negative offset.
    """

    customer_id: str | None
    limit: int = 10
    offset: int = 0
    before: tuple[datetime, str] | None = None
    """Continue after the order that was created then and has this id."""
    statuses: frozenset[OrderStatus] | None = None
    """None means every placed order: all but those in `UNPLACED`."""
    created_after: datetime | None = None
    """Inclusive."""
    created_before: datetime | None = None
    """Exclusive."""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_PAGE:
            raise InvalidValue(("limit",), "out_of_range", f"must be between 1 and {MAX_PAGE}")
        if self.offset < 0:
            raise InvalidValue(("offset",), "out_of_range", "must not be negative")


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of a list."""

    orders: tuple[Order, ...]
    has_more: bool

    @property
    def next_before(self) -> tuple[datetime, str] | None:
        """`OrderQuery.before` of the next page; None: this is the last one."""
        if not (self.has_more and self.orders):
            return None
        last = self.orders[-1]
        return last.created_at, last.id


@dataclass(frozen=True, slots=True)
class OrderHistory:
    """What happened to an order, and whose it is."""

    customer_id: str
    entries: tuple[Happened, ...]


EventPlace = tuple[datetime, str, str]
"""Where an event stands among others: when it was received, its provider, its id."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A provider's event that was received and dealt with: the memory of the webhooks."""

    provider: str
    event_id: str
    name: str
    received_at: datetime
    verdict: str
    """What it came to: `settled`, `no_news`, `no_fact`, `other_installation`, or
    `unknown_transaction`, which a person should look at."""
    order_id: str | None = None
    facts: tuple[ProviderFact, ...] = ()
    """Of an unmatched event: what it says about money that somebody else moved (outcomes
    `Succeeded`, `Reversed` and `Restored`, and `Declined` of a refund), and what can be matched
    once the payment is known."""

    @property
    def place(self) -> EventPlace:
        return (self.received_at, self.provider, self.event_id)


class OrderRepository(Protocol):
    """Keeps each order with its items, transactions, events and requests as one thing.

    What it returns is a value: changing the store later does not change it. Every method
    may raise `StoreUnavailable`, within a bounded time, with nothing stored.
    """

    async def save(
        self,
        order: Order,
        /,
        *,
        request: RequestRecord | None = None,
        guard: DuplicateGuard | None = None,
        take: Lease | None = None,
        release: Lease | None = None,
    ) -> Saved:
        """Store the whole order, its news, and `request`, in one database transaction.

        An order of version 0 is added; any other replaces the stored one of the same
        version. `take` begins a lease with the save if it is free (it does not fail the
        save if it is not); `release` ends that lease, if it is still held.

        Raises:
            ConcurrentUpdate: the stored version is another one. Nothing is stored.
            IdempotencyKeyReused: the customer used the key on the route before. Nothing
                is stored. This one is raised before the next three.
            PossibleDuplicate: an equal order within the guard's window. Nothing is stored.
            PaymentMethodInUse: the single-use token stands in another live charge.
                Nothing is stored.
            PaymentReferenceTaken: the provider's payment is another order's charge.
                Nothing is stored.
            CommitUnknown: the store did not confirm; `get` tells what became of it.
        """
        ...

    async def get(self, order_id: str, /) -> Order:
        """Raises OrderNotFound."""
        ...

    async def show(self, order_id: str, view: OwnerView, /) -> ViewedOrder:
        """The order of `get`, as `view` writes it.

        Raises:
            OrderNotFound: there is no such order.
        """
        ...

    async def find_request(
        self, customer_id: str, route: str, key: str, /
    ) -> EarlierRequest | None:
        """The earlier request with this key, or None if there was none."""
        ...

    async def find_by_transaction(self, transaction_id: str, /) -> Order | None:
        """The order that has a transaction of this id, or None."""
        ...

    async def find_by_reference(
        self, provider: str, account: str, reference: str, /
    ) -> Order | None:
        """The order that has a payment of this reference at the provider's account, or None.

        A payment is a charge, authorization or capture; one that is not dead comes first.
        """
        ...

    async def unfinished(self, *, limit: int) -> tuple[Order, ...]:
        """Orders with an open transaction or one in review, longest waiting first.

        An order that cannot be read is left out, and an audit reports it.
        """
        ...

    async def receive(self, event: ReceivedEvent, /) -> bool:
        """Remember the event. False if one of this provider and id is remembered already."""
        ...

    async def remembered(self, provider: str, event_ids: Sequence[str], /) -> frozenset[str]:
        """Which of these events of the provider are remembered; asked about at most 100."""
        ...

    async def unmatched_events(self, *, limit: int) -> tuple[ReceivedEvent, ...]:
        """The newest events with the verdict `unknown_transaction`."""
        ...

    async def events_to_match(self, *, after: EventPlace, limit: int) -> tuple[ReceivedEvent, ...]:
        """Unmatched events with facts, oldest first, that stand behind `after`.

        Facts that the store keeps and cannot read come back as none.
        """
        ...

    async def match(self, event: ReceivedEvent, /) -> bool:
        """Store the verdict and order of an event that was unmatched until now.

        False, with nothing stored, if it is not remembered or not unmatched any more.
        """
        ...

    async def taken_in(self, record: EventRecord, /) -> TakenIn:
        """How far the record was taken in, and the store's present moment."""
        ...

    async def note_taken_in(
        self, record: EventRecord, /, *, until: datetime, before: datetime | None
    ) -> bool:
        """Remember that everything before `until` was taken in, which may be earlier than before.

        False, with nothing stored, if another moment than `before` stands there: somebody else
        has moved it meanwhile, or the store was put back to an older state.

        Raises:
            StoreUnavailable: it may have been stored all the same.
        """
        ...

    async def list(self, query: OrderQuery, /) -> OrderPage:
        """At most `query.limit` orders, newest first (by creation time, then id)."""
        ...

    async def show_list(self, query: OrderQuery, view: OwnerView, /) -> ViewedPage:
        """The page of `list`, as `view` writes each order."""
        ...

    async def history(self, order_id: str, /) -> OrderHistory:
        """Everything that happened to the order, oldest first, with its owner.

        Raises:
            OrderNotFound: there is no such order.
        """
        ...
