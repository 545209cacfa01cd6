"""Compare what clients were told, what we wrote down, and what the providers have."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from order_core.invariants import Evidence, violations
from order_core.invariants.promises import KEYS_ANSWER_ALIKE, NO_BUG
from order_core.invariants_across import Claim, ClaimKind, collisions
from order_core.use_cases.place_order import ROUTE
from tests.chaos.books import Books
from tests.chaos.heard import Heard

_SINGLE_STEPS: Final = frozenset({"statuses_along_the_table", "begun_is_paid"})


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
        if violation.invariant.name not in _SINGLE_STEPS
    ]


def offences(books: Books, heard: Heard) -> list[Offence]:
    """Every contradiction. An empty list is what the run is for."""
    found = [
        offence for evidence in books.evidence.values() for offence in contradictions(evidence)
    ]
    found += _broken_promises(books, heard)
    for claim in (*_keys(books, heard), *_orders(books, heard), *_nobodys_money(books)):
        found += [
            Offence(f"{each.invariant.name}: {each.detail}", each.order_id)
            for each in collisions(claim)
        ]
    return found


def _broken_promises(books: Books, heard: Heard) -> Iterator[Offence]:
    for answer in heard.answers:
        if answer.http_status == 500:
            yield Offence(f"{NO_BUG.name}: {answer}", answer.order_id, answer.key)
    for key, orders in heard.orders_of_keys().items():
        stored = books.keys.get((heard.wishes[key].customer, key))
        if orders != {stored}:
            told = f"answered {sorted(orders)}, and stored {stored}"
            yield Offence(f"{KEYS_ANSWER_ALIKE.name}: {told}", stored, key)


def _keys(books: Books, heard: Heard) -> Iterator[Claim]:
    """What was answered to each key, and every order that anybody was told of."""
    kind = ClaimKind.REQUEST_KEY
    for key, orders in heard.orders_of_keys().items():
        whose = (heard.wishes[key].customer, ROUTE, key)
        yield Claim(kind, whose, len(orders), min(orders), max(orders))
    for gone in sorted({a.order_id for a in heard.answers if a.order_id} - books.evidence.keys()):
        yield Claim(kind, ("a client's",), 1, gone, gone, missing_orders=(gone,))


def _orders(books: Books, heard: Heard) -> Iterator[Claim]:
    """Each order, with the requests that it belongs to and that somebody sent."""
    sent = {(wish.customer, wish.key) for wish in heard.wishes.values()}
    keys = Counter(books.keys.values())
    never_sent = {order_id for whose, order_id in books.keys.items() if whose not in sent}
    for order_id in sorted(books.evidence.keys() | keys.keys()):
        count = 0 if order_id in never_sent else keys[order_id]
        missing = () if order_id in books.evidence else (order_id,)
        yield Claim(ClaimKind.ORDER, (order_id,), count, order_id, order_id, missing)


def _nobodys_money(books: Books) -> Iterator[Claim]:
    for movement in books.nobodys:
        # Where a void has no id of ours, no money moved with it.
        if movement.moved and movement.kind != "void":
            key = (movement.provider, str(movement))
            yield Claim(ClaimKind.MONEY, key, 1, "nobody's", "nobody's", ("nobody's",))
