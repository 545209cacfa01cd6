"""Compare what clients were told, what we wrote down, and what the providers have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from order_core.invariants import Evidence, violations
from order_core.order_status import OrderStatus
from tests.chaos.books import Books, Movement
from tests.chaos.heard import Heard, Refunding

_ENDED: Final = frozenset({OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED})
_SINGLE_STEPS: Final = "statuses_along_the_table"
_TAKES: Final = frozenset({"charge", "capture"})
_WAITS_FOR_BUYER: Final = frozenset({"requires_action", "requires_confirmation"})


@dataclass(frozen=True)
class Offence:
    """Something that must not be, and whose it is."""

    says: str
    order_id: str | None = None
    key: str | None = None


def contradictions(evidence: Evidence) -> list[Offence]:
    """What the invariants say about one order.

    Between two looks it may have gone several steps of the status table. Whether each of
    them was allowed, its events tell.
    """
    return [
        Offence(f"{violation.invariant.name}: {violation.detail}", violation.order_id)
        for violation in violations(evidence)
        if violation.invariant.name != _SINGLE_STEPS
    ]


def offences(books: Books, heard: Heard) -> list[Offence]:
    """Every contradiction. An empty list is what the run is for."""
    found = [
        offence for evidence in books.evidence.values() for offence in contradictions(evidence)
    ]
    found += _answers_against_orders(books, heard)
    found += _keys_against_orders(books, heard)
    for movement in books.nobodys:
        # Where a void has no id of ours, no money moved with it.
        if movement.moved and movement.kind != "void":
            found.append(Offence(f"money that belongs to no order: {movement}"))
    for order_id, evidence in books.evidence.items():
        found += _one_order(evidence, books.movements.get(order_id, []), heard)
    return found


def _answers_against_orders(books: Books, heard: Heard) -> Iterator[Offence]:
    for answer in heard.answers:
        if answer.http_status == 500:
            yield Offence(f"an internal error: {answer}", answer.order_id, answer.key)
    missing = {a.order_id for a in heard.answers if a.order_id} - books.evidence.keys()
    for order_id in sorted(missing):
        yield Offence("a client was told of this order, and it does not exist", order_id)


def _keys_against_orders(books: Books, heard: Heard) -> Iterator[Offence]:
    for key, orders in heard.orders_of_keys().items():
        stored = books.keys.get((heard.wishes[key].customer, key))
        if len(orders) > 1:
            yield Offence(f"one key got {len(orders)} orders: {sorted(orders)}", key=key)
        if orders != {stored}:
            yield Offence(f"answered {sorted(orders)}, and stored {stored}", stored, key)
    placed = list(books.keys.values())
    for order_id in sorted({order_id for order_id in placed if placed.count(order_id) > 1}):
        yield Offence("two keys have this order", order_id)
    wished = {(wish.customer, wish.key) for wish in heard.wishes.values()}
    for whose, order_id in books.keys.items():
        if whose not in wished:
            yield Offence(f"nobody ever sent its key {whose}", order_id)
    for order_id in sorted(books.evidence.keys() - set(placed)):
        yield Offence("it belongs to no request", order_id)


def _one_order(evidence: Evidence, movements: list[Movement], heard: Heard) -> Iterator[Offence]:
    order = evidence.order
    if not evidence.at_rest:
        yield Offence(f"it does not come to rest: due again at {order.attend_at}", order.id)
        return
    taken = sum(m.amount for m in movements if m.moved and m.kind in _TAKES)
    back = sum(m.amount for m in movements if m.moved and m.kind == "refund")
    if taken - back > order.total.minor_units:
        yield Offence(f"{taken - back} was kept, and its total is {order.total}", order.id)
    if taken < back:
        yield Offence(f"{back} was given back of {taken}", order.id)
    if order.status in _ENDED and not evidence.left_to_people:
        for movement in _still_open(movements):
            yield Offence(f"it is {order.status}, and the provider still has {movement}", order.id)
    if order.status not in _ENDED and not evidence.left_to_people:
        refunds = [wish for wish in heard.refunds.values() if wish.order_id == order.id]
        yield from _refunds(evidence, back, refunds)


def _still_open(movements: list[Movement]) -> Iterator[Movement]:
    ended = {m.parent_reference for m in movements if m.kind in {"void", "capture"}}
    for movement in movements:
        held = movement.kind == "authorization" and movement.moved
        if (held and movement.reference not in ended) or movement.status in _WAITS_FOR_BUYER:
            yield movement


def _refunds(evidence: Evidence, back: int, refunds: list[Refunding]) -> Iterator[Offence]:
    """What was accepted was done once; what nobody asked for was not done."""
    order = evidence.order
    captured = order.captured_minor_units
    accepted = [wish for wish in refunds if wish.is_accepted]
    # Of a wish without a definite answer nobody knows whether it was heard.
    possible = [wish for wish in refunds if wish.is_accepted or not wish.is_refused]
    least, most = _sum(accepted, captured), _sum(possible, captured)
    if not least <= back <= most:
        yield Offence(
            f"{back} was given back; accepted were {least}, and at most {most} was asked", order.id
        )


def _sum(refunds: list[Refunding], captured: int) -> int:
    if any(wish.minor_units is None for wish in refunds):
        return captured
    return sum(wish.minor_units or 0 for wish in refunds)
