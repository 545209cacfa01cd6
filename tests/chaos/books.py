"""Our books and the providers', read as evidence."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from order_core.invariants import AliveMovement, Evidence, MovedMoney, RefundWish
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind
from order_core.ports import OrderQuery
from order_core.use_cases.place_order import ROUTE
from order_sqlalchemy import Database, SqlOrders
from tests.chaos.heard import Heard

_MOVES: Final = {
    "charge": TransactionKind.CHARGE,
    "capture": TransactionKind.CAPTURE,
    "refund": TransactionKind.REFUND,
}
_HOLD: Final = "authorization"
_WAITS_FOR_BUYER: Final = frozenset({"requires_action", "requires_confirmation"})
_PAGE: Final = 100


@dataclass(frozen=True)
class Movement:
    """One entry of a provider's ledger."""

    provider: str
    kind: str
    reference: str
    amount: int
    """Minor units."""
    currency: str
    status: str
    moved: bool
    transaction_id: str | None = None
    parent_reference: str | None = None

    @classmethod
    def of(cls, provider: str, entry: dict[str, Any]) -> "Movement":
        return cls(provider=provider, **entry)


@dataclass
class Books:
    """Everything that is written anywhere."""

    evidence: dict[str, Evidence] = field(default_factory=dict)
    """By order."""
    movements: dict[str, list[Movement]] = field(default_factory=dict)
    """Those of the provider's that belong to an order of ours."""
    nobodys: list[Movement] = field(default_factory=list)
    """Those that belong to none."""
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    """Customer and key -> order, of the requests that place one."""


async def all_orders(database: Database, *, most: int | None = None) -> list[Order]:
    """Every order, newest first, or the `most` newest."""
    orders: list[Order] = []
    statuses = frozenset(OrderStatus)
    before = None
    while most is None or len(orders) < most:
        query = OrderQuery(customer_id=None, limit=_PAGE, before=before, statuses=statuses)
        page = await SqlOrders(database).list(query)
        orders += page.orders
        if not page.has_more:
            break
        before = (orders[-1].created_at, orders[-1].id)
    return orders


async def read_books(
    database: Database,
    movements: list[Movement],
    heard: Heard,
    earlier: dict[str, Order],
) -> Books:
    """All evidence there is about every order."""
    books = Books()
    orders = await all_orders(database)
    _sort(movements, orders, books)
    told = heard.told()
    untold: Counter[str] = Counter()
    for order_id, count in await database.store.rows(
        "SELECT order_id, count(*) FROM order_events WHERE tell_at_us IS NOT NULL GROUP BY order_id"
    ):
        untold[order_id] = count
    for order in orders:
        history = await SqlOrders(database).history(order.id)
        books.evidence[order.id] = replace(
            at_providers(order, books.movements.get(order.id, [])),
            earlier=earlier.get(order.id),
            history=history.entries,
            told=tuple(told.get(order.id, ())),
            untold_events=untold[order.id],
            refund_wishes=(
                *heard.refund_wishes(order.id),
                *_by_hand(books.movements.get(order.id, []), heard),
            ),
        )
    for customer, route, key, order_id in await database.store.rows(
        "SELECT customer_id, route, key, order_id FROM idempotency_records"
    ):
        if route == ROUTE:
            books.keys[customer, key] = order_id
    return books


def _by_hand(movements: list[Movement], heard: Heard) -> Iterator[RefundWish]:
    for payment in dict.fromkeys((m.provider, m.reference) for m in movements):
        yield from heard.by_hand.get(payment, ())


def at_providers(order: Order, movements: list[Movement]) -> Evidence:
    """What the providers have of an order, which had all the time to come to rest."""
    return Evidence(
        order,
        at_provider=tuple(
            MovedMoney(_MOVES[m.kind], Money(m.amount, m.currency), m.reference)
            for m in movements
            if m.moved and m.kind in _MOVES
        ),
        held_at_provider=sum(m.kind == _HOLD and m.moved for m in _unended(movements)),
        alive_at_provider=tuple(_alive(movements)),
        had_all_time=True,
    )


def _unended(movements: list[Movement]) -> Iterator[Movement]:
    """What the provider holds or took, or may still take once the buyer agrees."""
    ended = {m.parent_reference for m in movements if m.kind in {"void", "capture"} and m.moved}
    for movement in movements:
        held_no_more = movement.kind == _HOLD and movement.reference in ended
        waits = movement.status in _WAITS_FOR_BUYER
        if (movement.moved and movement.kind != "void" and not held_no_more) or waits:
            yield movement


def _alive(movements: list[Movement]) -> Iterator[AliveMovement]:
    for movement in _unended(movements):
        yield AliveMovement(
            movement.transaction_id,
            _MOVES.get(movement.kind, TransactionKind.AUTHORIZATION),
            is_done=movement.moved,
            says=f"the provider has {movement}",
        )


def _sort(movements: list[Movement], orders: list[Order], books: Books) -> None:
    """Whose is it? By our id that the provider keeps, else by the payment it belongs to."""
    by_transaction = {t.id: order.id for order in orders for t in order.transactions}
    by_reference: dict[tuple[str, str], str] = {}
    for movement in movements:
        order_id = by_transaction.get(movement.transaction_id or "")
        if order_id is None and movement.parent_reference:
            order_id = by_reference.get((movement.provider, movement.parent_reference))
        if order_id is None:
            books.nobodys.append(movement)
            continue
        by_reference.setdefault((movement.provider, movement.reference), order_id)
        books.movements.setdefault(order_id, []).append(movement)
