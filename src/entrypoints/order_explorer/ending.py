"""What becomes of a world when nothing goes wrong any more."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from order_core.invariants import Evidence, violations
from order_core.order import Order
from order_explorer.books import alive
from order_explorer.live import Live, at_once
from order_memory import SequentialIds
from order_memory.ledger_evidence import holds, moved
from order_memory.store import OrderRow

MOST_ROUNDS: Final = 500
LONGEST: Final = timedelta(days=40)
_SHORT_WAIT: Final = timedelta(seconds=20)


def end_of(live: Live, *, may_be_in_review: bool) -> tuple[tuple[str, ...], dict[str, Order]]:
    """What is wrong once the worker has had all the time it needs, and the orders by then."""
    core = live.core(SequentialIds("end"))
    until = live.clock.now() + LONGEST
    walks_once_more = True
    for _ in range(MOST_ROUNDS):
        if live.clock.now() > until:
            break
        if at_once(core.recover(limit=3)) + at_once(core.match()) + at_once(core.tell()):
            continue
        due = [o.attend_at for o in _orders(live) if o.attend_at is not None]
        due += [notice.due_at for notice in live.orders.store.all_waiting_notices()]
        if not due and walks_once_more:
            # An event may have waited for what rests by now; a new process begins with all.
            core, walks_once_more = live.core(SequentialIds("rest")), False
            continue
        if not due:
            break
        # A lease that nobody gives back ends at a time that no order knows.
        live.clock.set(max(min(due), live.clock.now() + _SHORT_WAIT))
    broken = [
        wrong
        for row in live.orders.store.rows()
        for wrong in _wrong(live, row, may_be_in_review=may_be_in_review)
    ]
    return tuple(broken), {order.id: order for order in _orders(live)}


def _orders(live: Live) -> list[Order]:
    return [row.order for row in live.orders.store.rows()]


def _wrong(live: Live, row: OrderRow, *, may_be_in_review: bool) -> Iterator[str]:
    order = row.order
    entries = [e for e in live.gateway.ledger.entries if e.transaction.order_id == order.id]
    evidence = Evidence(
        order,
        history=row.events,
        at_provider=moved(entries),
        held_at_provider=holds(entries),
        alive_at_provider=alive(entries, ()).get(order.id, ()),
        untold_events=len(live.orders.store.waiting_notices(order.id)),
        had_all_time=True,
        spares_people=not may_be_in_review,
    )
    return (str(violation) for violation in violations(evidence))
