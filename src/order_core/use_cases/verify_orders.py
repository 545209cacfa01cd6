"""Compare everything that is stored with what must be true of it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from order_core.invariants import violations
from order_core.invariants.at_provider import AT_PROVIDER
from order_core.invariants.promises import READABLE, SHOWN_AS_STORED
from order_core.invariants_across import ACROSS, STORED, ClaimKind, collisions
from order_core.order import Order
from order_core.ports import AuditedOrder, Clock, OrderAudit, OwnerView

UNSEEN: Final = frozenset(
    {
        *("statuses_along_the_table", "begun_is_paid", "facts_only_added", "told_stays_true"),
        *("rest_is_reachable", "people_are_spared", "reviews_end"),
        *(invariant.name for invariant in AT_PROVIDER),
    }
)
"""The invariants of which what is stored now says nothing: they need an earlier state, an
answer, the time that has passed, or the provider's books."""

SEEN_ACROSS: Final = tuple(rule for rule in ACROSS if rule.kinds & set(STORED))
"""The rules across orders that what is stored can break."""

SEEN_PROMISES: Final = (READABLE, SHOWN_AS_STORED)
"""The promises that it can break."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction: which invariant, which order, and how."""

    invariant: str
    order_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of orders or claims came to. Numbers are of this page alone."""

    of: ClaimKind | None
    """None: orders."""
    seen: int
    findings: tuple[Finding, ...]
    in_flight: int = 0
    """Orders that somebody still has to look after; rules for rest say nothing of them yet."""
    overdue: int = 0
    """Those in flight that nobody has looked after in time: no worker runs, or it is stuck."""
    left_to_people: int = 0
    """Orders that a person decides about; rules for rest say nothing of them."""


@dataclass(frozen=True, slots=True)
class VerifyOrders:
    """For `order-core verify`: reads one page after the other, and changes nothing.

    It holds one page at a time, of `page_size` orders or claims. What is due for longer than
    `patience` is late: an event untold, an order not looked after.
    """

    audit: OrderAudit
    clock: Clock
    page_size: int = 200
    patience: timedelta = timedelta(hours=1)
    view: OwnerView | None = None
    """How the texts were written that are kept to be shown; None: they are not looked at."""

    async def __call__(self) -> AsyncGenerator[Page]:
        """Every page: all orders, then all claims.

        Raises:
            StoreUnavailable: the rest could not be read.
        """
        async for page in self._orders():
            yield page
        for kind in STORED:
            async for page in self._claims(kind):
                yield page

    async def _orders(self) -> AsyncGenerator[Page]:
        after = ""
        while True:
            late = self.clock.now() - self.patience
            found = await self.audit.orders(after=after, limit=self.page_size, told_by=late)
            if found:
                yield self._page_of_orders(found, late)
                after = found[-1].order_id
            if len(found) < self.page_size:
                return

    async def _claims(self, kind: ClaimKind) -> AsyncGenerator[Page]:
        after = None
        while True:
            found = await self.audit.claims(kind, after=after, limit=self.page_size)
            if found:
                broken = [collision for claim in found for collision in collisions(claim)]
                findings = tuple(Finding(c.invariant.name, c.order_id, c.detail) for c in broken)
                yield Page(kind, len(found), findings)
                after = found[-1].key
            if len(found) < self.page_size:
                return

    def _page_of_orders(self, found: tuple[AuditedOrder, ...], late: datetime) -> Page:
        findings: list[Finding] = []
        in_flight = overdue = left_to_people = 0
        for audited in found:
            evidence = audited.evidence
            if evidence is None:
                findings.append(
                    Finding(READABLE.name, audited.order_id, audited.unreadable_because)
                )
                continue
            findings.extend(
                Finding(v.invariant.name, v.order_id, v.detail) for v in violations(evidence)
            )
            if not self._is_shown_true(audited.owner_view, evidence.order):
                findings.append(
                    Finding(SHOWN_AS_STORED.name, audited.order_id, "the kept text says otherwise")
                )
            attend_at = evidence.order.attend_at
            in_flight += attend_at is not None
            overdue += attend_at is not None and attend_at < late
            left_to_people += evidence.left_to_people
        return Page(None, len(found), tuple(findings), in_flight, overdue, left_to_people)

    def _is_shown_true(self, text: str | None, order: Order) -> bool:
        return text is None or self.view is None or text == self.view.text_of(order)
