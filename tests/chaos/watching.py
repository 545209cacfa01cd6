"""Looks at the orders every few seconds: what was true may not have been taken back since."""

import asyncio
from dataclasses import replace
from typing import Final

from order_core.errors import OrderCoreError
from order_core.invariants import Evidence
from order_core.order import Order
from order_sqlalchemy import Database
from tests.chaos.books import all_orders
from tests.chaos.comparing import Offence, contradictions

_EVERY_SECONDS: Final = 5.0
_NEWEST: Final = 1000


class Watch:
    """Keeps each order as it was seen last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.seen: dict[str, Order] = {}
        self.found: list[Offence] = []

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            try:
                orders = await all_orders(self._database, most=_NEWEST)
            except OrderCoreError:
                # The database is down just now.
                continue
            for order in orders:
                self._compare(order)

    def _compare(self, order: Order) -> None:
        evidence = Evidence(order, earlier=self.seen.get(order.id))
        self.found += [
            replace(offence, says=f"during the run, {offence.says}")
            for offence in contradictions(evidence)
        ]
        self.seen[order.id] = order
