"""Orders in memory."""

from collections.abc import Sequence
from datetime import datetime

from order_core.order import Order
from order_core.order_status import UNPLACED
from order_core.ports import (
    Clock,
    DuplicateGuard,
    EarlierRequest,
    EventPlace,
    EventRecord,
    Lease,
    OrderHistory,
    OrderPage,
    OrderQuery,
    OwnerView,
    ReceivedEvent,
    RequestRecord,
    Saved,
    TakenIn,
    ViewedOrder,
    ViewedPage,
)
from order_memory.finding import payment_reference, waiting_since
from order_memory.store import Store


class InMemoryOrders:
    """An `OrderRepository` that forgets with the process.

    Orders are immutable, so what it hands out cannot change what it keeps. `clock` is the
    store's own: leases end by it. `store` is for `InMemoryWorkQueue` and `InMemoryOutbox`.
    """

    def __init__(self, clock: Clock) -> None:
        self.store = Store(clock)

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
        stored = self.store.save(order, request=request, guard=guard)
        if release:
            self.store.release(release)
        return Saved(stored, holds_lease=take is not None and self.store.take(take))

    async def get(self, order_id: str, /) -> Order:
        return self.store.row(order_id).order

    async def show(self, order_id: str, view: OwnerView, /) -> ViewedOrder:
        return ViewedOrder.of(await self.get(order_id), view)

    async def find_request(
        self, customer_id: str, route: str, key: str, /
    ) -> EarlierRequest | None:
        found = self.store.request(customer_id, route, key)
        if found is None:
            return None
        record, order_id = found
        lease = self.store.lease(order_id)
        return EarlierRequest(
            record,
            self.store.row(order_id).order,
            in_progress=lease is not None and lease.by_request,
        )

    async def find_by_transaction(self, transaction_id: str, /) -> Order | None:
        order_id = self.store.order_of(transaction_id)
        return None if order_id is None else self.store.row(order_id).order

    async def find_by_reference(
        self, provider: str, account: str, reference: str, /
    ) -> Order | None:
        holders = [
            (transaction.is_live, transaction.recorded_at, order_id)
            for order_id in self.store.payers(provider, account, reference)
            for transaction in self.store.row(order_id).order.transactions
            if payment_reference(transaction) == (provider, account, reference)
        ]
        return self.store.row(max(holders)[2]).order if holders else None

    async def unfinished(self, *, limit: int) -> tuple[Order, ...]:
        orders = (row.order for row in self.store.rows())
        waiting = sorted(
            (since, order.id) for order in orders if (since := waiting_since(order)) is not None
        )
        return tuple(self.store.row(order_id).order for _, order_id in waiting[:limit])

    async def receive(self, event: ReceivedEvent, /) -> bool:
        return self.store.receive(event)

    async def remembered(self, provider: str, event_ids: Sequence[str], /) -> frozenset[str]:
        return frozenset(each for each in event_ids if self.store.has_received(provider, each))

    async def unmatched_events(self, *, limit: int) -> tuple[ReceivedEvent, ...]:
        newest_first = sorted(self.store.unmatched(), key=_place, reverse=True)
        return tuple(newest_first[:limit])

    async def events_to_match(self, *, after: EventPlace, limit: int) -> tuple[ReceivedEvent, ...]:
        waiting = [event for event in self.store.unmatched() if event.facts and event.place > after]
        return tuple(sorted(waiting, key=_place)[:limit])

    async def match(self, event: ReceivedEvent, /) -> bool:
        return self.store.match(event)

    async def taken_in(self, record: EventRecord, /) -> TakenIn:
        return TakenIn(self.store.taken_in_until(record), self.store.clock.now())

    async def note_taken_in(
        self, record: EventRecord, /, *, until: datetime, before: datetime | None
    ) -> bool:
        return self.store.note_taken_in(record, until=until, before=before)

    async def list(self, query: OrderQuery, /) -> OrderPage:
        wanted = sorted(
            (row.order for row in self.store.rows() if _matches(row.order, query)),
            key=lambda order: (order.created_at, order.id),
            reverse=True,
        )
        end = query.offset + query.limit
        return OrderPage(tuple(wanted[query.offset : end]), has_more=len(wanted) > end)

    async def show_list(self, query: OrderQuery, view: OwnerView, /) -> ViewedPage:
        page = await self.list(query)
        return ViewedPage(tuple(view.text_of(each) for each in page.orders), page.next_before)

    async def history(self, order_id: str, /) -> OrderHistory:
        row = self.store.row(order_id)
        return OrderHistory(row.order.customer_id, row.events)


def _place(event: ReceivedEvent) -> EventPlace:
    return event.place


def _matches(order: Order, query: OrderQuery) -> bool:
    return (
        query.customer_id in (None, order.customer_id)
        and (
            order.status not in UNPLACED
            if query.statuses is None
            else order.status in query.statuses
        )
        and (query.created_after is None or order.created_at >= query.created_after)
        and (query.created_before is None or order.created_at < query.created_before)
        and (query.before is None or (order.created_at, order.id) < query.before)
    )
