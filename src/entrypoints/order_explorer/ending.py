"""What becomes of a world when nothing goes wrong any more."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from order_core.invariants import INVARIANTS, Evidence, MovedMoney, violations
from order_core.order import Order, PaymentStatus
from order_core.payment import TransactionKind, TransactionStatus
from order_explorer.live import Live, at_once
from order_memory import SequentialIds
from order_memory.provider_ledger import Standing
from order_memory.store import OrderRow

MOST_ROUNDS: Final = 500
LONGEST: Final = timedelta(days=40)
_SHORT_WAIT: Final = timedelta(seconds=20)
_MOVES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE, TransactionKind.REFUND})
_ALSO_IN_REVIEW: Final = frozenset({"books_agree", "events_delivered"})


def end_of(live: Live, *, may_be_in_review: bool) -> tuple[tuple[str, ...], dict[str, Order]]:
    """What is wrong once the worker has had all the time it needs, and the orders by then."""
    core = live.core(SequentialIds("end"))
    until = live.clock.now() + LONGEST
    for _ in range(MOST_ROUNDS):
        if live.clock.now() > until:
            break
        if at_once(core.recover(limit=3)) + at_once(core.match()) + at_once(core.tell()):
            continue
        due = [o.attend_at for o in _orders(live) if o.attend_at is not None]
        due += [notice.due_at for notice in live.orders.store.all_waiting_notices()]
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
    if order.attend_at is not None:
        yield f"rest_is_reachable: order {order.id} never comes to rest"
    evidence = Evidence(
        order,
        history=row.events,
        at_provider=_at_provider(live, order.id),
        untold_events=len(live.orders.store.waiting_notices(order.id)),
    )
    yield from (str(violation) for violation in violations(evidence))
    if order.payment_status is PaymentStatus.IN_REVIEW:
        if not may_be_in_review:
            yield f"no_review: order {order.id} is left to a person"
        for invariant in INVARIANTS:
            if invariant.name in _ALSO_IN_REVIEW:
                yield from (f"{invariant.name}: {wrong}" for wrong in invariant.check(evidence))
    ours = sum(t.status is TransactionStatus.AUTHORIZED for t in order.transactions)
    theirs = sum(
        entry.standing is Standing.AUTHORIZED and not _is_taken(live, entry.reference)
        for entry in live.gateway.ledger.entries
        if entry.transaction.order_id == order.id
    )
    if ours != theirs:
        yield f"holds_agree: order {order.id} has {ours} holds; the provider has {theirs}"


def _is_taken(live: Live, reference: str) -> bool:
    return any(
        entry.transaction.parent_reference == reference
        and entry.transaction.kind is TransactionKind.CAPTURE
        and entry.standing is Standing.SUCCEEDED
        for entry in live.gateway.ledger.entries
    )


def _at_provider(live: Live, order_id: str) -> tuple[MovedMoney, ...]:
    return tuple(
        MovedMoney(entry.transaction.kind, entry.amount, entry.reference)
        for entry in live.gateway.ledger.entries
        if entry.transaction.order_id == order_id
        and entry.transaction.kind in _MOVES
        and entry.standing is Standing.SUCCEEDED
    )
