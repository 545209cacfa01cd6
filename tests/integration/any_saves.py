"""Saves of every kind, for Hypothesis: what is stored with an order, and what stands in its way.

Saves that are sent at the same time never race here: each is refused by what was stored earlier,
or not at all. So the same becomes of them whoever comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from hypothesis import strategies as st

from order_core.events import Happened
from order_core.order import Order
from order_core.payment import OPEN_STATUSES, PaymentTransaction, TransactionStatus
from order_core.ports import DuplicateGuard, Lease, RequestRecord
from order_memory.contracts.views import VIEW
from order_sqlalchemy.saving import Saving
from tests.integration.any_orders import Stock, durations, moments, orders, texts
from tests.integration.sqlalchemy_orders import an_order

_numbers = count(1)

_MOST_ROWS = 17
"""Movements or news of a long order, or more: too many for a statement with a place for each."""

_NEVER_PAID = {TransactionStatus.DECLINED, TransactionStatus.FAILED}
_HOLDS_ITS_TOKEN = [status for status in TransactionStatus if status not in _NEVER_PAID]
_OVER_AT_ONCE = timedelta(microseconds=1)
_AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class AnySave:
    """A new order, or a change to one that is stored by then."""

    saving: Saving
    versions_behind: int = 0

    def now(self, version: int, event_count: int) -> Saving:
        """The change as it is sent if so much is stored of its order."""
        order = self.saving.order
        news = tuple(
            Happened(event_count + number, happened.at, happened.event)
            for number, happened in enumerate(order.news, start=1)
        )
        now = replace(
            order,
            version=version + self.versions_behind,
            event_count=event_count + len(news),
            news=news,
        )
        return self.saving._replace(order=now)


Batch = Sequence[AnySave]
"""Sent at the same time. The first one finds nobody before it."""


class Example:
    """Batches one after the other. The database refuses nothing of the early ones."""

    # No dataclass: of those Hypothesis prints every field, here thousands of lines.

    def __init__(self, early: Sequence[Batch], late: Sequence[Batch]) -> None:
        self.early = early
        self.late = late

    def __repr__(self) -> str:
        sizes = [len(batch) for batch in (*self.early, *self.late)]
        return f"<saves of {sizes} orders>"

    @property
    def leases(self) -> dict[str, timedelta]:
        """How long each lease lasts, by its token."""
        savings = [each.saving for batch in (*self.early, *self.late) for each in batch]
        taken = [saving.take for saving in savings if saving.take]
        return {lease.token: lease.duration for lease in taken}


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """New orders and changes to them, first without refusals of the database, then with them."""
    few_texts = draw(st.lists(texts, min_size=10, max_size=10))
    few_moments = draw(st.lists(moments, min_size=5, max_size=5))
    drawing = _Drawing(draw, Stock(st.sampled_from(few_texts), st.sampled_from(few_moments)))
    standing = drawing.standing()
    new = drawing.new()
    changes = drawing.changes([each.saving for each in new])
    known = [
        (before if change.versions_behind else change).saving
        for before, change in zip(new, changes, strict=True)
    ]
    late = drawing.new(standing.saving), drawing.changes(known, standing.saving)
    batches = [
        [AnySave(Saving(an_order(), None, None, None, None)), *batch]
        for batch in ([standing], new, changes, *late)
    ]
    return Example(early=batches[:3], late=batches[3:])


@dataclass(frozen=True)
class _Kind:
    """What all saves of a batch have, so that they may go together."""

    moves_once: bool
    has_news: bool
    has_key: bool
    is_guarded: bool
    takes: bool
    releases: bool
    erases: bool
    has_view: bool


_kinds = st.builds(_Kind, *[st.booleans()] * 8)


@dataclass(frozen=True)
class _Drawing:
    """The saves of one example. `standing` is what stands in their way."""

    draw: st.DrawFn
    of: Stock

    def standing(self) -> AnySave:
        """A new order that never changes, with everything that may stand in another's way."""
        order = self._order(self.draw(_kinds))
        charge, *more = order.transactions
        charge = replace(self._alive(charge), single_use_fingerprint=self._name())
        order = replace(order, transactions=(charge, *more))
        lease = self._lease(order)
        return AnySave(Saving(order, self._request(), self._guard(), lease, None, VIEW))

    def new(self, standing: Saving | None = None) -> list[AnySave]:
        kind = self.draw(_kinds)
        batch = []
        for number in range(self.draw(st.integers(2, 5))):
            order = self._order(kind)
            request = self._request() if kind.has_key else None
            guard = self._guard() if kind.is_guarded else None
            if standing and standing.guard:
                match self.draw(st.sampled_from(["", "", "key", "content", "token", "order"])):
                    case "key" if kind.has_key:
                        request = standing.request
                    case "content" if guard:
                        # Where its time is over, it is whose who comes first: of one only.
                        window = guard.window if number == 0 else _AN_HOUR
                        guard = replace(standing.guard, window=window)
                    case "token":
                        order = _with_token_of(order, standing.order)
                    case "order":
                        order = _of(order, standing.order)
            take = self._lease(order) if kind.takes else None
            view = VIEW if kind.has_view else None
            batch.append(AnySave(Saving(order, request, guard, take, None, view)))
        return batch

    def changes(self, known: Sequence[Saving], standing: Saving | None = None) -> list[AnySave]:
        kind = self.draw(_kinds)
        batch = []
        for before in known:
            order = self._changed(kind, before.order)
            request = self._request() if kind.has_key else None
            if standing:
                match self.draw(st.sampled_from(["", "", "key", "token"])):
                    case "key" if kind.has_key:
                        request = standing.request
                    case "token":
                        order = _with_token_of(order, standing.order)
            leases = [self._lease(order), *([before.take] if before.take else [])]
            saving = Saving(
                order,
                request,
                guard=None,
                take=self.draw(st.sampled_from(leases)) if kind.takes else None,
                release=self.draw(st.sampled_from(leases)) if kind.releases else None,
                view=VIEW if kind.has_view else None,
                erases=kind.erases,
            )
            batch.append(AnySave(saving, self.draw(st.sampled_from([0, 0, 0, 0, 1]))))
        return batch

    # Parts of a save ---------------------------------------------------------------------

    def _order(self, kind: _Kind) -> Order:
        order = self.draw(orders(self.of))
        charge, *more = order.transactions
        news = order.news if kind.has_news else ()
        if self.draw(st.booleans()):
            charge = self._alive(charge)
        if kind.moves_once:
            more = []
        if self.draw(st.integers(0, 5)) == 0:
            again = range(_MOST_ROWS)
            more = [replace(each, id=f"{each.id}-{n}") for n in again for each in more]
            happened = [each for _ in again for each in news]
            news = tuple(replace(each, sequence=n) for n, each in enumerate(happened, start=1))
        return replace(order, transactions=(charge, *more), news=news, event_count=len(news))

    def _changed(self, kind: _Kind, before: Order) -> Order:
        """Another order with the same id and movements, in other states, and perhaps new ones."""
        after = _of(self._order(kind), before)
        both = min(len(before.transactions), len(after.transactions))
        kept = tuple(
            replace(now if self.draw(st.booleans()) else then, id=then.id)
            for then, now in zip(before.transactions[:both], after.transactions[:both], strict=True)
        )
        others = before.transactions[both:]
        if self.draw(st.booleans()):
            others += after.transactions[both:]
        return replace(after, transactions=(*kept, *others), version=1)

    def _alive(self, charge: PaymentTransaction) -> PaymentTransaction:
        status = self.draw(st.sampled_from(_HOLDS_ITS_TOKEN))
        is_open = status in OPEN_STATUSES
        return replace(
            charge,
            status=status,
            single_use_fingerprint=self._name() if self.draw(st.booleans()) else None,
            provider_reference=self._name() if self.draw(st.booleans()) else None,
            token=self.draw(self.of.texts) if is_open else None,
            client_secret=self.draw(self.of.texts) if is_open else None,
            attend_at=self.draw(self.of.moments) if is_open else charge.attend_at,
        )

    def _request(self) -> RequestRecord:
        text = self.of.texts
        return RequestRecord(self.draw(text), self.draw(text), self._name(), self.draw(text))

    def _guard(self) -> DuplicateGuard:
        return DuplicateGuard(self._name(), self.draw(st.sampled_from([_OVER_AT_ONCE, _AN_HOUR])))

    def _lease(self, order: Order) -> Lease:
        lasts = self.draw(st.just(_OVER_AT_ONCE) | durations)
        return Lease(order.id, self._name(), lasts, self.draw(st.booleans()))

    def _name(self) -> str:
        """A text that nobody else has."""
        return f"{self.draw(self.of.texts)} {next(_numbers)}"


def _with_token_of(order: Order, other: Order) -> Order:
    charge, *more = order.transactions
    if charge.status in _NEVER_PAID:
        return order
    held = other.charge.single_use_fingerprint
    return replace(order, transactions=(replace(charge, single_use_fingerprint=held), *more))


def _of(other: Order, order: Order) -> Order:
    """Everything of `other`, as the order that is stored already."""
    moved = tuple(replace(each, order_id=order.id) for each in other.transactions)
    return replace(other, id=order.id, transactions=moved)
