"""Says what must not be: after every save, at every answer, and when everything rests."""

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from order_core.invariants import Evidence, MovedMoney, violations
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind, TransactionStatus
from order_memory import LedgerEntry, Standing
from order_simulator.virtual_time import SECOND

if TYPE_CHECKING:
    from order_simulator.shop import Shop

_TAKES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE})
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

    rule: str
    order_id: str | None
    detail: str
    time: int
    """Microseconds of virtual time."""

    def __str__(self) -> str:
        return f"{self.rule}: order {self.order_id}: {self.detail}"


class Judge:
    """Collects what contradicts the invariants; the first finding ends the run of the shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._told: dict[str, tuple[OrderStatus, ...]] = {}
        self._orders_of_key: dict[str, str] = {}
        self._in_review: set[str] = set()
        self.findings: list[Finding] = []

    def found(self, rule: str, order_id: str | None, detail: str) -> None:
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
            after, earlier=before, history=row.events, told=self._told.get(after.id, ())
        )
        for violation in violations(evidence):
            self.found(violation.invariant.name, after.id, violation.detail)
        self._absences(before, after)
        in_review = any(t.review or t.status is _IN_REVIEW for t in after.transactions)
        if in_review and after.id not in self._in_review:
            self._in_review.add(after.id)
            shop.staff.review(after.id)

    def _absences(self, before: Order | None, after: Order) -> None:
        """What we say never happened must not have, and must not be about to."""
        known_dead = {t.id for t in before.transactions if not t.is_live} if before else set()
        for transaction in after.transactions:
            if transaction.is_live or transaction.id in known_dead:
                continue
            contradiction = self._shop.provider.contradicts(transaction)
            if contradiction:
                self.found("dead_means_dead", after.id, f"{transaction.id}: {contradiction}")

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
            self.found("an_answered_order_exists", order_id, f"a client was told {status}")

    def answered(self, key: str, order_id: str) -> None:
        """A request with an idempotency key was answered with an order."""
        first = self._orders_of_key.setdefault(key, order_id)
        if first != order_id:
            self.found("one_order_a_key", order_id, f"the key {key} was answered with {first} too")

    # When everything rests ----------------------------------------------------------------

    def at_rest(self) -> None:
        """Compare all books."""
        shop = self._shop
        books: dict[str, list[LedgerEntry]] = {}
        for entry in shop.provider.ledger.entries:
            books.setdefault(entry.transaction.order_id, []).append(entry)
        untold: dict[str, int] = {}
        for notice in shop.store.all_waiting_notices():
            untold[notice.order_id] = untold.get(notice.order_id, 0) + 1
        by_wish: dict[str, str] = {}
        for row in shop.store.rows():
            order = row.order
            moved = tuple(m for e in books.pop(order.id, []) for m in _moved(e))
            evidence = Evidence(
                order,
                history=row.events,
                at_provider=moved,
                told=self._told.get(order.id, ()),
                untold_events=untold.get(order.id, 0),
            )
            for violation in violations(evidence):
                self.found(violation.invariant.name, order.id, violation.detail)
            self._compare_totals(order, moved)
            wish = order.items[0].product_id
            if not wish.startswith("free-"):
                first = by_wish.setdefault(wish, order.id)
                if first != order.id:
                    self.found("one_order_a_key", order.id, f"{first} is of the same key")
        for order_id, entries in books.items():
            self.found("no_unknown_money", order_id, f"at the provider: {entries}")

    def _compare_totals(self, order: Order, moved: tuple[MovedMoney, ...]) -> None:
        # Also for orders that people decided about: what they decided moved money, too.
        if any(t.status is TransactionStatus.IN_REVIEW for t in order.transactions):
            self.found("reviews_end", order.id, "staff was asked, and it is in review still")
            return
        theirs = sum(
            m.amount.minor_units if m.kind in _TAKES else -m.amount.minor_units for m in moved
        )
        ours = order.captured_minor_units - order.refunded_minor_units
        if ours != theirs:
            self.found("totals_agree", order.id, f"we hold {ours}, and the provider says {theirs}")

    def never_rested(self, days: int) -> None:
        """The bound of virtual time is reached, and something is open still."""
        shop = self._shop
        for attend_at, order_id in shop.store.all_due()[:_MOST_FINDINGS]:
            self.found("rest_is_reached", order_id, f"due at {attend_at}, after {days} days")
        if not self.findings:
            seconds = shop.scheduler.now // SECOND
            self.found("rest_is_reached", None, f"something goes on after {seconds} s")


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


def _moved(entry: LedgerEntry) -> tuple[MovedMoney, ...]:
    kind = entry.transaction.kind
    if entry.standing is not Standing.SUCCEEDED or kind not in {*_TAKES, TransactionKind.REFUND}:
        return ()
    return (MovedMoney(kind, entry.amount, entry.reference),)
