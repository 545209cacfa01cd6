"""Orders in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from order_core.errors import OrderNotFound, StoreUnavailable
from order_core.immutable import replace
from order_core.order import Order
from order_core.ports import (
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
from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import (
    Row,
    happened_from,
    json_text,
    moment_from,
    moment_us,
    order_from,
    received_event_from,
    received_event_values,
)
from order_sqlalchemy.saving import Saving
from order_sqlalchemy.unreadable import UNREADABLE, readable


class SqlOrders:
    """An `OrderRepository` in `database`. Each call is one statement or one transaction.

    With `view`, each order is stored as its owner sees it too, so that `show` and `show_list`
    need not build it anew. What was not written down by this edition of the view is; that
    takes them a second statement.
    """

    def __init__(self, database: Database, *, view: OwnerView | None = None) -> None:
        self._store = database.store
        self._view = view

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
        holds = await self._store.save(Saving(order, request, guard, take, release, self._view))
        return Saved(replace(order, version=order.version + 1, news=()), holds)

    async def get(self, order_id: str, /) -> Order:
        found = await self._store.rows(self._store.statements.order, order_id)
        if not found:
            raise OrderNotFound(order_id)
        return order_from(found[0])

    async def show(self, order_id: str, view: OwnerView, /) -> ViewedOrder:
        found = await self._store.rows(self._store.statements.view, order_id, view.edition)
        if not found:
            raise OrderNotFound(order_id)
        row = found[0]
        if row[_TEXT] is None:
            return ViewedOrder.of(await self.get(order_id), view)
        return ViewedOrder(row[_CUSTOMER_ID], row[_TEXT])

    async def find_request(
        self, customer_id: str, route: str, key: str, /
    ) -> EarlierRequest | None:
        found = await self._store.rows(self._store.statements.request, customer_id, route, key)
        if not found:
            return None
        body_fingerprint, in_progress, *order = found[0]
        record = RequestRecord(customer_id, route, key, body_fingerprint)
        return EarlierRequest(record, order_from(order), bool(in_progress))

    async def find_by_transaction(self, transaction_id: str, /) -> Order | None:
        statement = self._store.statements.by_transaction
        return _only(await self._store.rows(statement, transaction_id))

    async def find_by_reference(
        self, provider: str, account: str, reference: str, /
    ) -> Order | None:
        statement = self._store.statements.by_reference
        return _only(await self._store.rows(statement, provider, account, reference))

    async def unfinished(self, *, limit: int) -> tuple[Order, ...]:
        found = await self._store.rows(self._store.statements.unfinished, limit)
        return tuple(readable(found, order_from, name=lambda row: f"order {row[0]}"))

    async def receive(self, event: ReceivedEvent, /) -> bool:
        statement = self._store.statements.receive
        return bool(await self._store.change(statement, *received_event_values(event)))

    async def remembered(self, provider: str, event_ids: Sequence[str], /) -> frozenset[str]:
        statement = self._store.statements.remembered
        try:
            wanted = json_text(list(event_ids))
        except ValueError as error:
            raise StoreUnavailable(f"The events could not be asked for: {error}.") from error
        found = await self._store.rows(statement, provider, wanted)
        return frozenset(row[0] for row in found)

    async def unmatched_events(self, *, limit: int) -> tuple[ReceivedEvent, ...]:
        found = await self._store.rows(self._store.statements.unmatched, limit)
        return tuple(_event_from(row) for row in found)

    async def events_to_match(self, *, after: EventPlace, limit: int) -> tuple[ReceivedEvent, ...]:
        at, provider, event_id = after
        found = await self._store.rows(
            self._store.statements.to_match, moment_us(at), provider, event_id, limit
        )
        return tuple(_event_from(row) for row in found)

    async def match(self, event: ReceivedEvent, /) -> bool:
        return bool(
            await self._store.change(
                self._store.statements.match,
                event.provider,
                event.event_id,
                event.verdict,
                event.order_id,
            )
        )

    async def taken_in(self, record: EventRecord, /) -> TakenIn:
        statement = self._store.statements.taken_in
        [(now_us, until_us)] = await self._store.rows(statement, *_names(record))
        return TakenIn(None if until_us is None else moment_from(until_us), moment_from(now_us))

    async def note_taken_in(
        self, record: EventRecord, /, *, until: datetime, before: datetime | None
    ) -> bool:
        values = [*_names(record), moment_us(until)]
        if before is None:
            statement = self._store.statements.begin_taken_in
        else:
            statement = self._store.statements.move_taken_in
            values.append(moment_us(before))
        return bool(await self._store.change(statement, *values))

    async def list(self, query: OrderQuery, /) -> OrderPage:
        statement, arguments = self._store.statements.page(query)
        found = await self._store.rows(statement, *arguments)
        page = tuple(order_from(row) for row in found[: query.limit])
        return OrderPage(page, has_more=len(found) > query.limit)

    async def show_list(self, query: OrderQuery, view: OwnerView, /) -> ViewedPage:
        statement, arguments = self._store.statements.view_page(query, view.edition)
        found = await self._store.rows(statement, *arguments)
        texts = tuple([row[_TEXT] for row in found[: query.limit]])
        if None in texts:
            page = await self.list(query)
            return ViewedPage(tuple(map(view.text_of, page.orders)), page.next_before)
        if len(found) <= query.limit:
            return ViewedPage(texts, next_before=None)
        last = found[query.limit - 1]
        return ViewedPage(texts, (moment_from(last[_CREATED_AT]), last[_ID]))

    async def history(self, order_id: str, /) -> OrderHistory:
        found = await self._store.rows(self._store.statements.history, order_id)
        if not found:
            raise OrderNotFound(order_id)
        entries = tuple(
            happened_from(sequence, at_us, name, data)
            for _, sequence, at_us, name, data in found
            if sequence is not None
        )
        return OrderHistory(customer_id=found[0][0], entries=entries)


_TEXT: Final = 0
_CUSTOMER_ID: Final = 1
_CREATED_AT: Final = 1
_ID: Final = 2


def _only(found: list[Row]) -> Order | None:
    return order_from(found[0]) if found else None


def _names(record: EventRecord) -> tuple[str, str, str]:
    return record.provider, record.account, record.installation


def _event_from(row: Row) -> ReceivedEvent:
    """An event whose facts cannot be read is one without facts: a person looks at it."""
    try:
        return received_event_from(row)
    except UNREADABLE:
        return received_event_from([*row[:-1], None])
