"""What SQL keeps beside the orders, and need not."""

# ruff: noqa: S608 - only fixed words of ours become part of the SQL

from datetime import datetime
from typing import Final

from order_core.order_status import OrderStatus
from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import moment_us
from order_sqlalchemy.schema import DONE_WITH

_EVENTS: Final = f"""
    DELETE FROM received_events WHERE (provider, event_id) IN (
        SELECT provider, event_id FROM received_events
        WHERE {DONE_WITH} AND received_at_us < $1 ORDER BY received_at_us LIMIT $2
    ) RETURNING 1"""

# Its age is asked twice: meanwhile the row may have become that of a new, equal order.
_CONTENTS: Final = f"""
    DELETE FROM order_fingerprints WHERE created_at_us < $1 AND fingerprint IN (
        SELECT f.fingerprint FROM order_fingerprints f JOIN orders o ON o.id = f.order_id
        WHERE f.created_at_us < $1 AND o.status <> '{OrderStatus.AWAITING_PAYMENT}' LIMIT $2
    ) RETURNING 1"""


class SqlLeftovers:
    """`Leftovers` in `database`. Each call is one statement."""

    def __init__(self, database: Database) -> None:
        self._store = database.store

    async def forget_events(self, *, before: datetime, limit: int) -> int:
        return len(await self._store.change(_EVENTS, moment_us(before), limit))

    async def forget_contents(self, *, before: datetime, limit: int) -> int:
        return len(await self._store.change(_CONTENTS, moment_us(before), limit))
