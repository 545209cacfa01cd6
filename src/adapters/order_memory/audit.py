"""Everything in memory, shown to whoever checks it."""

from collections.abc import Iterator
from datetime import datetime

from order_core.invariants import Evidence, StoredTotals
from order_core.invariants_across import Claim, ClaimKind
from order_core.ports import AuditedOrder
from order_memory.orders import InMemoryOrders
from order_memory.store import OrderRow, claimed_reference, claimed_token


class InMemoryOrderAudit:
    """An `OrderAudit` of `orders`. Totals are not stored here, so they always follow."""

    def __init__(self, orders: InMemoryOrders) -> None:
        self._store = orders.store

    async def count_orders(self) -> int:
        return len(tuple(self._store.rows()))

    async def orders(
        self, *, after: str, limit: int, told_by: datetime
    ) -> tuple[AuditedOrder, ...]:
        rows = sorted(
            (row for row in self._store.rows() if row.order.id > after),
            key=lambda row: row.order.id,
        )
        return tuple(
            AuditedOrder(row.order.id, self._evidence(row, told_by)) for row in rows[:limit]
        )

    async def claims(
        self, kind: ClaimKind, *, after: tuple[str, ...] | None, limit: int
    ) -> tuple[Claim, ...]:
        holders: dict[tuple[str, ...], list[str]] = {}
        for key, order_id in self._claimed(kind):
            if after is None or key > after:
                holders.setdefault(key, []).append(order_id)
        return tuple(self._claim(kind, key, holders[key]) for key in sorted(holders)[:limit])

    def _evidence(self, row: OrderRow, told_by: datetime) -> Evidence:
        order = row.order
        waiting = self._store.waiting_notices(order.id) if order.email is not None else ()
        return Evidence(
            order=order,
            history=row.events,
            untold_events=sum(notice.due_at < told_by for notice in waiting),
            totals=StoredTotals(
                order.captured_minor_units,
                order.refunded_minor_units,
                order.refund_asked_minor_units,
                order.attend_at,
            ),
        )

    def _claimed(self, kind: ClaimKind) -> Iterator[tuple[tuple[str, ...], str]]:
        """Each key with the id of an order that has it."""
        if kind is ClaimKind.REQUEST_KEY:
            for request, order_id in self._store.requests():
                yield (request.customer_id, request.route, request.key), order_id
            return
        if kind is ClaimKind.RECEIVED_EVENT:
            for event in self._store.received():
                if event.order_id is not None:
                    yield (event.provider, event.event_id), event.order_id
            return
        for row in self._store.rows():
            for key in _keys_of(row, kind):
                yield key, row.order.id

    def _claim(self, kind: ClaimKind, key: tuple[str, ...], order_ids: list[str]) -> Claim:
        first, last = min(order_ids), max(order_ids)
        there = {row.order.id for row in self._store.rows()}
        missing = tuple(sorted({first, last} - there))
        return Claim(kind, key, len(order_ids), first, last, missing)


def _keys_of(row: OrderRow, kind: ClaimKind) -> Iterator[tuple[str, ...]]:
    if kind is ClaimKind.HISTORY:
        yield from ((row.order.id,) for _ in row.events)
        return
    for transaction in row.order.transactions:
        token, reference = claimed_token(transaction), claimed_reference(transaction)
        if kind is ClaimKind.TRANSACTION:
            yield (transaction.id,)
        elif kind is ClaimKind.SINGLE_USE_TOKEN and token:
            yield (token,)
        elif kind is ClaimKind.PAYMENT and reference:
            yield reference
