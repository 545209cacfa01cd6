"""Every state that store and provider were ever in, each once, and the ways between them."""

from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from order_core.errors import OrderCoreError
from order_core.invariants import Evidence, violations
from order_core.invariants.promises import NO_BUG
from order_core.invariants_across import Claim, ClaimKind, collisions
from order_core.order import Order
from order_explorer.books import Alive, alive
from order_explorer.ending import end_of
from order_explorer.faults import Fault
from order_explorer.interning import Numbered
from order_explorer.live import Live, Snapshot, at_once
from order_explorer.meaning import meaning, prospects
from order_explorer.scenario import Scenario, Stage, Told, View
from order_explorer.steps import Raised
from order_memory import SequentialIds
from order_memory.provider_ledger import Standing
from order_memory.store import OrderRow

_MOVED: Final = frozenset({Standing.SUCCEEDED, Standing.AUTHORIZED})


class Worlds:
    """Makes each call once in each world, and looks at every new world.

    A world is known by its number. `breaches` has what is wrong with those that are.
    """

    def __init__(self, scenario: Scenario, moments: Sequence[timedelta]) -> None:
        self.live = Live(scenario.policy)
        self.calls = Numbered()
        self.answers = Numbered()
        self.breaches: dict[tuple[int, int], tuple[str, ...]] = {}
        """(from, to) -> what the way from one world to the other breaks."""
        self._snapshots: list[Snapshot] = []
        self._moments = moments
        self._may_end_in_review = scenario.may_end_in_review
        self._numbers = Numbered()
        self._made: dict[tuple[int, int, Fault], tuple[int, int]] = {}
        self._later: dict[int, int] = {}
        self._after_late: dict[int, int] = {}
        self._views: dict[int, View] = {}
        self._prospects: dict[int, Hashable] = {}
        self._ends: dict[Hashable, tuple[tuple[str, ...], dict[str, Order]]] = {}
        for number, act in enumerate(scenario.prologue):
            core = self.live.core(SequentialIds(f"before{number or ''}"))
            at_once(act(Stage(core, self.live.provider)))
        self._start: datetime = self.live.clock.now()
        self._times = [self._start + moment for moment in moments]
        self.first = self._number(self.live.take())

    def __len__(self) -> int:
        return len(self._snapshots)

    # From one to another ------------------------------------------------------------------

    def after(self, world: int, call: int, fault: Fault) -> tuple[int, int]:
        """The world that this call leads to, and the answer (its number) that it gets."""
        way = world, call, fault
        known = self._made.get(way)
        if known is None:
            self.live.put(self._snapshots[world])
            answer = self.live.make(self.calls.values[call], fault)
            known = self._made[way] = self._arrived(world), self.answers.number_of(answer)
            if isinstance(answer, Raised) and not isinstance(answer.error, OrderCoreError):
                # A use case may swallow it, and a bug of the store with it.
                self.breaches[world, known[0]] = (f"{NO_BUG.name}: {answer.error!r}",)
        return known

    def later(self, world: int) -> int:
        """The world when the next moment has come; the same one after the last."""
        known = self._later.get(world)
        if known is None:
            moment = self.moment(world) + 1
            if moment == len(self._moments):
                known = world
            else:
                self.live.put(self._snapshots[world])
                self.live.wait_until(self._moments[moment], self._start)
                known = self._arrived(world)
            self._later[world] = known
        return known

    def after_late_request(self, world: int) -> int:
        """The world when the requests that were given up have arrived; the same one if none is."""
        known = self._after_late.get(world)
        if known is None:
            snapshot = self._snapshots[world]
            if snapshot["gateway"]["_late"]:
                self.live.put(snapshot)
                self.live.gateway.deliver_late_requests()
                known = self._arrived(world)
            else:
                known = world
            self._after_late[world] = known
        return known

    def _arrived(self, before: int) -> int:
        snapshot = self.live.take()
        number = self._number(snapshot)
        if number != before and (before, number) not in self.breaches:
            broken = self._broken(self._snapshots[before], snapshot)
            if broken:
                self.breaches[before, number] = broken
        return number

    def _number(self, snapshot: Snapshot) -> int:
        key = self.moment_of(snapshot), meaning(snapshot, self._times)
        number = self._numbers.number_of(None, key)
        if number == len(self._snapshots):
            self._snapshots.append(snapshot)
        return number

    # What they are like -------------------------------------------------------------------

    def now(self, world: int) -> datetime:
        now: datetime = self._snapshots[world]["clock"]["_now"]
        return now

    def moment(self, world: int) -> int:
        """Which of the moments it is."""
        return self.moment_of(self._snapshots[world])

    def meanings(self) -> Iterator[Hashable]:
        """What each world is known by: when it is, and all that can still make a difference."""
        for snapshot in self._snapshots:
            yield self.moment_of(snapshot), meaning(snapshot, self._times)

    def moment_of(self, snapshot: Snapshot) -> int:
        return max(n for n, at in enumerate(self._times) if at <= snapshot["clock"]["_now"])

    def view(self, world: int) -> View:
        """What participants may look at before they begin."""
        known = self._views.get(world)
        if known is None:
            snapshot = self._snapshots[world]
            self.live.put(snapshot)
            store = self.live.orders.store
            known = self._views[world] = View(
                orders=self.orders(world),
                due=any(not store.lease(order_id) for order_id in store.due()),
                references=tuple(snapshot["ledger"]["_entries"]),
            )
        return known

    def orders(self, world: int) -> tuple[Order, ...]:
        return tuple(row.order for row in self._snapshots[world]["store"]["_rows"].values())

    # What is wrong with them --------------------------------------------------------------

    def _broken(self, before: Snapshot, after: Snapshot) -> tuple[str, ...]:
        rows_before: dict[str, OrderRow] = before["store"]["_rows"]
        rows: dict[str, OrderRow] = after["store"]["_rows"]
        living, lived = _alive(after), _alive(before)
        broken = [
            str(violation)
            for order_id, row in rows.items()
            for earlier in (rows_before.get(order_id),)
            if row is not earlier or living.get(order_id) != lived.get(order_id)
            for violation in violations(
                Evidence(
                    row.order,
                    earlier=earlier.order if earlier else None,
                    history=row.events,
                    alive_at_provider=living.get(order_id, ()),
                )
            )
        ]
        claims = (*_removed(rows_before, rows), *_by_key(rows), *_moneys(after))
        return (*broken, *(str(wrong) for claim in claims for wrong in collisions(claim)))

    def contradictions(self, world: int, told: frozenset[Told]) -> tuple[str, ...]:
        """What clients were told that is not true in this world."""
        return _contradictions({order.id: order for order in self.orders(world)}, told)

    def end(self, world: int, told: frozenset[Told]) -> tuple[str, ...]:
        """What is wrong when, from here on, nothing goes wrong any more and all comes to rest."""
        prospect = self._prospects.get(world)
        if prospect is None:
            snapshot = self._snapshots[world]
            prospect = self.moment(world), prospects(snapshot, self._times)
            self._prospects[world] = prospect
        known = self._ends.get(prospect)
        if known is None:
            self.live.put(self._snapshots[world])
            known = self._ends[prospect] = end_of(
                self.live, may_be_in_review=self._may_end_in_review
            )
        broken, orders = known
        return (*broken, *_contradictions(orders, told))


def _alive(snapshot: Snapshot) -> Alive:
    return alive(snapshot["ledger"]["_entries"].values(), snapshot["gateway"]["_late"])


def _removed(before: dict[str, OrderRow], after: dict[str, OrderRow]) -> Iterator[Claim]:
    for gone in before.keys() - after.keys():
        yield Claim(ClaimKind.ORDER, (gone,), 1, gone, gone, missing_orders=(gone,))


def _by_key(rows: dict[str, OrderRow]) -> Iterator[Claim]:
    """The orders of each key. Of one order alone it does not show: each of two is charged once."""
    made: dict[str, list[str]] = {}
    for order_id, row in rows.items():
        # Two that have lost their address count as one key's, too.
        made.setdefault(row.order.email or "", []).append(order_id)
    for key, ids in made.items():
        yield Claim(ClaimKind.REQUEST_KEY, (key,), len(ids), min(ids), max(ids))


def _moneys(snapshot: Snapshot) -> Iterator[Claim]:
    rows: dict[str, OrderRow] = snapshot["store"]["_rows"]
    for reference, entry in snapshot["ledger"]["_entries"].items():
        order_id = entry.transaction.order_id
        if order_id not in rows and entry.standing in _MOVED:
            yield Claim(ClaimKind.MONEY, (reference,), 1, order_id, order_id, (order_id,))


def _contradictions(orders: dict[str, Order], told: frozenset[Told]) -> tuple[str, ...]:
    said: dict[str, list[Told]] = {}
    for one in told:
        said.setdefault(one.order_id, []).append(one)
    unknown = (
        Claim(ClaimKind.REQUEST_KEY, ("answered",), 1, gone, gone, missing_orders=(gone,))
        for gone in said.keys() - orders.keys()
    )
    broken = [str(collision) for claim in unknown for collision in collisions(claim)]
    for order_id, tellings in said.items():
        if order_id in orders:
            statuses = tuple(one.status for one in tellings)
            evidence = Evidence(orders[order_id], told=statuses)
            broken += [str(violation) for violation in violations(evidence)]
    return tuple(broken)
