"""Everything in SQL that is kept of one customer."""

# ruff: noqa: S608 - only names of ours become part of the SQL

from dataclasses import replace
from datetime import datetime
from typing import Final

from order_core.order import Order
from order_core.ports import (
    HeldOrder,
    HeldRequest,
    HeldSession,
    OrderTraces,
    RequestRecord,
    Telling,
)
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

# By client too, of which there are few: so both find theirs by the index.
_OF_CUSTOMER: Final = "client_id IN (SELECT id FROM oauth_clients) AND subject = $1"
_SESSIONS: Final = f"""
    SELECT client_id, scope, granted_at_us, idle_until_us, ends_at_us, revoked_at_us
    FROM oauth_grants WHERE {_OF_CUSTOMER} ORDER BY granted_at_us, family_digest"""
_FORGET_SESSIONS: Final = f"DELETE FROM oauth_grants WHERE {_OF_CUSTOMER} RETURNING 1"


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

    async def sessions(self, customer_id: str, /) -> tuple[HeldSession, ...]:
        found = await self._store.rows(_SESSIONS, customer_id)
        return tuple(map(_session, found))

    async def forget_sessions(self, customer_id: str, /) -> int:
        return len(await self._store.change(_FORGET_SESSIONS, customer_id))

    async def erase(self, order: Order, /) -> Order:
        await self._store.save(Saving(order, None, None, None, None, erases=True))
        return replace(order, version=order.version + 1, news=())


def _session(row: Row) -> HeldSession:
    client_id, scope, granted_us, idle_until_us, ends_us, revoked_us = row
    return HeldSession(
        client_id,
        tuple(scope.split()),
        moment_from(granted_us),
        moment_from(idle_until_us),
        moment_from(ends_us),
        None if revoked_us is None else moment_from(revoked_us),
    )


def _telling(row: Row) -> Telling:
    sequence, at_us, name, data, told_at_us, attempts, given_up_because = row
    return Telling(
        happened_from(sequence, at_us, name, data),
        None if told_at_us is None else moment_from(told_at_us),
        attempts,
        given_up_because,
    )
