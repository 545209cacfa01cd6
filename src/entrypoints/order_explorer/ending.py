"""What becomes of a world when nothing goes wrong any more."""

from datetime import timedelta
from typing import Final

from order_core.invariants import Evidence, MovedMoney, violations
from order_core.order import Order
from order_core.payment import TransactionKind
from order_explorer.live import Live, at_once
from order_memory import SequentialIds
from order_memory.provider_ledger import Standing

MOST_ROUNDS: Final = 500
LONGEST: Final = timedelta(days=40)
_SHORT_WAIT: Final = timedelta(seconds=20)
_MOVES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE, TransactionKind.REFUND})


def end_of(live: Live) -> tuple[tuple[str, ...], dict[str, Order]]:
    """What is wrong once the worker has had all the time it needs, and the orders by then."""
    core = live.core(SequentialIds("end"))
    until = live.clock.now() + LONGEST
    for _ in range(MOST_ROUNDS):
        if live.clock.now() > until:
            break
        if at_once(core.recover(limit=3)) + at_once(core.tell()):
            continue
        orders = [row.order for row in live.orders.store.rows()]
        due = [order.attend_at for order in orders if order.attend_at is not None]
        if not due:
            break
        # A lease that nobody gives back ends at a time that no order knows.
        live.clock.set(max(min(due), live.clock.now() + _SHORT_WAIT))
    orders_by_id = {row.order.id: row.order for row in live.orders.store.rows()}
    broken = [
        f"rest_is_reachable: order {order.id} never comes to rest"
        for order in orders_by_id.values()
        if order.attend_at is not None
    ]
    for row in live.orders.store.rows():
        evidence = Evidence(
            row.order,
            history=row.events,
            at_provider=_at_provider(live, row.order.id),
            untold_events=len(
                [n for n in live.orders.store.untold() if n.order_id == row.order.id]
            ),
        )
        broken += [str(violation) for violation in violations(evidence)]
    return tuple(broken), orders_by_id


def _at_provider(live: Live, order_id: str) -> tuple[MovedMoney, ...]:
    return tuple(
        MovedMoney(entry.transaction.kind, entry.amount, entry.reference)
        for entry in live.gateway.ledger.entries
        if entry.transaction.order_id == order_id
        and entry.transaction.kind in _MOVES
        and entry.standing is Standing.SUCCEEDED
    )
