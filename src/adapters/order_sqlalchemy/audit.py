"""Everything in SQL, shown to whoever checks it."""

import json
from collections.abc import Sequence
from datetime import datetime

from order_core.invariants import Evidence, StoredTotals
from order_core.invariants_across import Claim, ClaimKind
from order_core.ports import AuditedOrder, OwnerView
from order_sqlalchemy.audit_statements import AuditStatements
from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import Row, happened_from, moment_from, moment_us, order_from
from order_sqlalchemy.statements import owner_view
from order_sqlalchemy.unreadable import UNREADABLE


class SqlOrderAudit:
    """An `OrderAudit` of `database`. Each page is one statement, and so one snapshot.

    It reads only, and needs the right to SELECT; open the database with `read_only=True` to
    have the database itself refuse anything else. `view` is the one whose texts are kept.
    """

    def __init__(self, database: Database, *, view: OwnerView | None = None) -> None:
        self._store = database.store
        self._edition = view.edition if view else None
        self._statements = AuditStatements(
            whole_order=database.store.statements.whole_order,
            events=database.store.statements.events,
            owner_view=owner_view("$4"),
        )

    async def count_orders(self) -> int:
        [(count,)] = await self._store.rows("SELECT count(*) FROM orders")
        return int(count)

    async def orders(
        self, *, after: str, limit: int, told_by: datetime
    ) -> tuple[AuditedOrder, ...]:
        found = await self._store.rows(
            self._statements.orders, after, limit, moment_us(told_by), self._edition
        )
        return tuple(_audited(row) for row in found)

    async def claims(
        self, kind: ClaimKind, *, after: tuple[str, ...] | None, limit: int
    ) -> tuple[Claim, ...]:
        if after is None:
            found = await self._store.rows(self._statements.first_claims[kind], limit)
        else:
            found = await self._store.rows(self._statements.next_claims[kind], limit, *after)
        return tuple(_claim(kind, row) for row in found)


def _audited(row: Row) -> AuditedOrder:
    order_id = str(row[0])
    try:
        return AuditedOrder(order_id, _evidence(row[2:]), owner_view=row[1])
    except UNREADABLE as error:
        return AuditedOrder(order_id, None, f"{type(error).__name__}: {error}")


def _evidence(row: Row) -> Evidence:
    captured, refunded, refund_asked, attend_at_us, untold, events, *order = row
    return Evidence(
        order=order_from(order),
        history=tuple(happened_from(*event) for event in json.loads(events)),
        untold_events=untold,
        totals=StoredTotals(
            captured,
            refunded,
            refund_asked,
            None if attend_at_us is None else moment_from(attend_at_us),
        ),
    )


def _claim(kind: ClaimKind, row: Row) -> Claim:
    key: Sequence[str]
    *key, count, first, last, first_is_there, last_is_there = row
    missing = [] if first_is_there else [first]
    if not last_is_there and last != first:
        missing.append(last)
    return Claim(kind, tuple(key), count, first, last, tuple(missing))
