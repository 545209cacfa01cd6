"""The port that shows everything that is stored to whoever checks it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from order_core.invariants import Evidence
from order_core.invariants_across import Claim, ClaimKind


@dataclass(frozen=True, slots=True)
class AuditedOrder:
    """What is stored about one order."""

    order_id: str
    evidence: Evidence | None
    """With history, untold events and stored totals. None: it cannot be read as an order."""
    unreadable_because: str = ""
    owner_view: str | None = None
    """What a reader would be shown of it without a look at anything else, if there is such."""


class OrderAudit(Protocol):
    """Reads all orders and claims, page by page, and changes nothing.

    Each page is what was stored at one moment; the next page may be of a later one. Every
    method may raise `StoreUnavailable`, within a bounded time.
    """

    async def count_orders(self) -> int:
        """How many orders there are, about: for showing progress."""
        ...

    async def orders(
        self, *, after: str, limit: int, told_by: datetime
    ) -> tuple[AuditedOrder, ...]:
        """At most `limit` orders with an id larger than `after`, smallest first.

        An event counts as untold when it was due before `told_by` and was neither told nor
        given up, or is due at no time at all: one that is due later is merely on its way.
        """
        ...

    async def claims(
        self, kind: ClaimKind, *, after: tuple[str, ...] | None, limit: int
    ) -> tuple[Claim, ...]:
        """At most `limit` claims with a key after `after`, in the store's order of keys."""
        ...
