"""Says what must not be: after every save, at every answer, and when everything rests."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from order_core.invariants import AliveMovement, Evidence, MovedMoney, Rule, violations
from order_core.invariants.promises import EVERYTHING_ENDS
from order_core.invariants_across import Claim, ClaimKind, collisions
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import DISPUTE_OPEN, TransactionStatus
from order_memory import LedgerEntry, Standing
from order_memory.ledger_evidence import holds, moved
from order_simulator.virtual_time import SECOND

if TYPE_CHECKING:
    from order_simulator.shop import Shop

_MOST_FINDINGS: Final = 20
_IN_REVIEW: Final = TransactionStatus.IN_REVIEW
_judged: Final = attrgetter(
    *("id", "status", "review", "reason", "kind", "origin", "amount", "parent_id"),
    *("order_id", "customer_id", "token", "client_secret"),
)
"""Everything in a movement that a rule reads, but for the time of the next look at it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be."""

    rule: Rule
    order_id: str | None
    detail: str
    time: int
    """Microseconds of virtual time."""

    def __str__(self) -> str:
        return f"{self.rule.name}: order {self.order_id}: {self.detail}"


class Judge:
    """Collects what contradicts the invariants; the first finding ends the run of the shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._told: dict[str, tuple[OrderStatus, ...]] = {}
        self._orders_of_key: dict[str, str] = {}
        self._in_review: set[str] = set()
        self.findings: list[Finding] = []

    def found(self, rule: Rule, order_id: str | None, detail: str) -> None:
        """Something is wrong."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(rule, order_id, detail, self._shop.scheduler.now))
            self._shop.scheduler.stop()

    # While the shop is open ---------------------------------------------------------------

    def saved(self, before: Order | None, after: Order) -> None:
        """An order was stored."""
        shop = self._shop
        if before is not None and _look_alike(before, after):
            return
        row = shop.store.row(after.id)
        evidence = Evidence(
            after,
            earlier=before,
            history=row.events,
            told=self._told.get(after.id, ()),
            alive_at_provider=self._given_up_too_early(before, after),
        )
        self._look_at(evidence)
        in_review = any(t.review or t.status is _IN_REVIEW for t in after.transactions)
        if in_review and after.id not in self._in_review:
            self._in_review.add(after.id)
            shop.staff.review(after.id)

    def _look_at(self, evidence: Evidence) -> None:
        for violation in violations(evidence):
            self.found(violation.invariant, violation.order_id, violation.detail)

    def _compare(self, claim: Claim) -> None:
        for collision in collisions(claim):
            self.found(collision.invariant, collision.order_id, collision.detail)

    def _given_up_too_early(
        self, before: Order | None, after: Order
    ) -> tuple[AliveMovement, ...] | None:
        """What of that which was just called dead is alive at the provider, or may come alive."""
        dead = [t for t in after.transactions if not t.is_live]
        if dead and before is not None:
            known = {t.id for t in before.transactions if not t.is_live}
            dead = [t for t in dead if t.id not in known]
        alive = (self._shop.provider.alive(transaction) for transaction in dead)
        return tuple(movement for movement in alive if movement is not None) if dead else None

    def reviewed(self, order_id: str) -> None:
        """Staff has decided; the next doubt is a new case."""
        self._in_review.discard(order_id)

    def told(self, order_id: str, status: OrderStatus) -> None:
        """Somebody outside heard this about an order."""
        known = self._told.get(order_id, ())
        if status in known:
            return
        self._told[order_id] = (*known, status)
        if not self._shop.store.has(order_id):
            self._compare(
                Claim(
                    ClaimKind.REQUEST_KEY,
                    ("told", status),
                    1,
                    order_id,
                    order_id,
                    missing_orders=(order_id,),
                )
            )

    def answered(self, key: str, order_id: str) -> None:
        """A request with an idempotency key was answered with an order."""
        first = self._orders_of_key.setdefault(key, order_id)
        if first != order_id:
            self._compare(Claim(ClaimKind.REQUEST_KEY, (key,), 2, first, order_id))

    # When everything rests ----------------------------------------------------------------

    def at_rest(self) -> None:
        """Compare all books."""
        shop = self._shop
        books: dict[str, list[LedgerEntry]] = {}
        for entry in shop.provider.ledger.entries:
            books.setdefault(entry.transaction.order_id, []).append(entry)
        untold = Counter(notice.order_id for notice in shop.store.all_waiting_notices())
        by_wish: dict[str, str] = {}
        read = shop.staff.by_the_pages
        for row in shop.store.rows():
            order, entries = row.order, books.pop(row.order.id, [])
            evidence = Evidence(
                order,
                history=row.events,
                at_provider=(*moved(entries), *_believed(order, entries)),
                held_at_provider=holds(entries),
                alive_at_provider=shop.provider.alive_among(entries),
                told=self._told.get(order.id, ()),
                untold_events=untold[order.id],
                had_all_time=True,
                people_decided=True,
            )
            self._look_at(evidence)
            if order.id in read:
                # Whoever decides what the pages say leaves books of which no rule makes an
                # exception. What he refunds at once was taken all the same.
                self._look_at(replace(evidence, history=None, alive_at_provider=None))
            wish = order.items[0].product_id
            if not wish.startswith("free-"):
                first = by_wish.setdefault(wish, order.id)
                if first != order.id:
                    self._compare(Claim(ClaimKind.REQUEST_KEY, (wish,), 2, first, order.id))
        for order_id, entries in books.items():
            names = tuple(entry.reference for entry in entries)
            self._compare(
                Claim(ClaimKind.MONEY, names, len(names), order_id, order_id, (order_id,))
            )

    def never_rested(self) -> None:
        """The bound of virtual time is reached, and something is open still."""
        store = self._shop.store
        untold = Counter(notice.order_id for notice in store.all_waiting_notices())
        for order_id in sorted({*untold, *(due for _, due in store.all_due())}):
            order = store.row(order_id).order
            self._look_at(Evidence(order, untold_events=untold[order_id], had_all_time=True))
        if not self.findings:
            seconds = self._shop.scheduler.now // SECOND
            self.found(EVERYTHING_ENDS, None, f"something goes on after {seconds} s")


def _believed(order: Order, entries: list[LedgerEntry]) -> Iterator[MovedMoney]:
    """What a person took for done, and the provider refused after all.

    It stands in our books as taken and gone again, as what a bank took back does, which the
    provider's books have as taken, too.
    """
    refused = {e.transaction.id for e in entries if e.standing is Standing.DECLINED}
    for move in order.transactions:
        paid = move.parent_id
        if move.reason == DISPUTE_OPEN and move.provider_reference == paid and paid in refused:
            yield MovedMoney(order.transaction(paid).kind, move.amount, paid)


def _look_alike(before: Order, after: Order) -> bool:
    """Whether no rule about one order can tell them apart: only sends and looks were counted."""
    return (
        before.event_count == after.event_count
        and before.status is after.status
        and len(before.transactions) == len(after.transactions)
        and all(
            one is other
            or (
                _judged(one) == _judged(other)
                and (one.attend_at is None) is (other.attend_at is None)
            )
            for one, other in zip(before.transactions, after.transactions, strict=True)
        )
    )
