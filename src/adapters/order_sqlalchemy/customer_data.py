"""Everything in SQL that is kept of one customer."""

# ruff: noqa: S608 - only names of ours become part of the SQL

from dataclasses import replace
from datetime import datetime
from typing import Final

from order_core.order import Order
from order_core.ports import HeldOrder, HeldRequest, OrderTraces, RequestRecord, Telling
from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import (
    EVENT_COLUMNS,
    Row,
    happened_from,
    moment_from,
    moment_us,
    order_from,
    received_event_from,
)
from order_sqlalchemy.saving import Saving

_HISTORY: Final = """
    SELECT sequence, at_us, name, data, told_at_us, attempts, given_up_because
    FROM order_events WHERE order_id = $1 ORDER BY sequence"""

_RECEIVED: Final = f"""
    SELECT {", ".join(EVENT_COLUMNS)} FROM received_events WHERE order_id = $1
    ORDER BY received_at_us, provider, event_id"""

_REQUESTS: Final = """
    SELECT route, key, body_fingerprint, order_id FROM idempotency_records
    WHERE customer_id = $1 AND (route, key) > ($2, $3) ORDER BY route, key LIMIT $4"""


class SqlCustomerData:
    """A `CustomerData` in `database`.

    To erase needs the right to update `order_events.data`, which serving does not need.
    """

    def __init__(self, database: Database) -> None:
        self._store = database.store
        self._orders = f"""
            SELECT (SELECT count(*) FROM order_events e
                    WHERE e.order_id = o.id AND e.tell_at_us IS NOT NULL),
                   {database.store.statements.whole_order}
            FROM orders o
            WHERE o.customer_id = $1 AND (o.created_at_us, o.id) > ($2, $3)
            ORDER BY o.created_at_us, o.id LIMIT $4"""

    async def orders(
        self, customer_id: str, /, *, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[HeldOrder, ...]:
        at_us, order_id = (moment_us(after[0]), after[1]) if after else (-1, "")
        found = await self._store.rows(self._orders, customer_id, at_us, order_id, limit)
        return tuple(HeldOrder(order_from(row), untold) for untold, *row in found)

    async def traces(self, order_id: str, /) -> OrderTraces:
        history = await self._store.rows(_HISTORY, order_id)
        received = await self._store.rows(_RECEIVED, order_id)
        return OrderTraces(
            tuple(map(_telling, history)), tuple(received_event_from(row) for row in received)
        )

    async def requests(
        self, customer_id: str, /, *, after: tuple[str, str] | None, limit: int
    ) -> tuple[HeldRequest, ...]:
        found = await self._store.rows(_REQUESTS, customer_id, *(after or ("", "")), limit)
        return tuple(
            HeldRequest(RequestRecord(customer_id, route, key, fingerprint), order_id)
            for route, key, fingerprint, order_id in found
        )

    async def erase(self, order: Order, /) -> Order:
        await self._store.save(Saving(order, None, None, None, None, erases=True))
        return replace(order, version=order.version + 1, news=())


def _telling(row: Row) -> Telling:
    sequence, at_us, name, data, told_at_us, attempts, given_up_because = row
    return Telling(
        happened_from(sequence, at_us, name, data),
        None if told_at_us is None else moment_from(told_at_us),
        attempts,
        given_up_because,
    )
