"""The work queue over the orders in SQL."""

from datetime import timedelta

from order_core.ports import Claim, Lease
from order_sqlalchemy.database import Database
from order_sqlalchemy.mapping import Row, microseconds, order_from
from order_sqlalchemy.unreadable import readable


class SqlWorkQueue:
    """A `WorkQueue` over the orders of `database`. Any number of workers may share it."""

    def __init__(self, database: Database) -> None:
        self._store = database.store

    async def claim(
        self, *, limit: int, hold: timedelta, tokens: tuple[str, ...]
    ) -> tuple[Claim, ...]:
        if len(tokens) < limit:
            raise ValueError(f"{limit} leases need {limit} tokens, not {len(tokens)}")
        claimed = await self._store.claim_orders(limit, microseconds(hold), tokens)

        def claim(row: Row) -> Claim:
            token, *order = row
            return Claim(order_from(order), Lease(order[0], token, hold, by_request=False))

        # One that cannot be read stays claimed for the while, and out of the others' way.
        return tuple(readable(claimed, claim, name=lambda row: f"order {row[1]}"))

    async def release(self, lease: Lease, /) -> None:
        await self._store.change(self._store.statements.release, lease.order_id, lease.token)
