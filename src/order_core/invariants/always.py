"""What is true of every order at every moment, whatever happens to it just now."""

from collections.abc import Iterator
from typing import Final

from order_core.invariants.evidence import Evidence
from order_core.invariants.kinds_of_order import ENDED, TAKES
from order_core.invariants.rule import Invariant, Scope
from order_core.order_item import total_of
from order_core.order_status import OrderStatus
from order_core.payment import Origin, TransactionStatus

_LEFT: Final = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED})


def _begins_with_its_charge(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if not order.transactions:
        yield "it has no movement of money at all"
        return
    if not (order.charge.takes_money and order.charge.origin is Origin.OURS):
        yield f"it begins with {order.charge.id}, a {order.charge.kind} by {order.charge.origin}"
    known = {t.id for t in order.transactions}
    for transaction in order.transactions:
        owner = (transaction.order_id, transaction.customer_id)
        if owner != (order.id, order.customer_id):
            yield f"{transaction.id} names order and customer {owner}"
        if transaction.parent_id is not None and transaction.parent_id not in known:
            yield f"{transaction.id} follows {transaction.parent_id}, which it does not have"


def _totals_follow(evidence: Evidence) -> Iterator[str]:
    if evidence.totals is None:
        return
    for name in ("captured_minor_units", "refunded_minor_units", "refund_asked_minor_units"):
        stored, follows = getattr(evidence.totals, name), getattr(evidence.order, name)
        if stored != follows:
            yield f"{name} is stored as {stored}, and its movements come to {follows}"
    if evidence.totals.attend_at != evidence.order.attend_at:
        yield (
            f"it is looked after at {evidence.totals.attend_at}, "
            f"and its movements at {evidence.order.attend_at}"
        )


def _one_live_charge(evidence: Evidence) -> Iterator[str]:
    live = [
        t.id
        for t in evidence.order.transactions
        if t.takes_money and t.is_live and t.origin is Origin.OURS
    ]
    if len(live) > 1:
        yield f"{', '.join(live)} are all alive"


def _second_debit_reported(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    taken = [
        t for t in order.transactions if t.kind in TAKES and t.status is TransactionStatus.SUCCEEDED
    ]
    for second in taken[1:]:
        if not (evidence.left_to_people or order.status in ENDED):
            yield f"{second.id} was taken beside {taken[0].id}, and nobody is told to look at it"


def _booked_once(evidence: Evidence) -> Iterator[str]:
    references = [t.provider_reference for t in evidence.order.payments if t.provider_reference]
    for reference in sorted({each for each in references if references.count(each) > 1}):
        yield f"{reference} was taken once, and is on record {references.count(reference)} times"


def _refunds_within_capture(evidence: Evidence) -> Iterator[str]:
    asked = evidence.order.refund_asked_minor_units
    if asked and asked > (captured := evidence.order.captured_minor_units):
        yield f"{asked} asked back of {captured} captured (minor units)"


def _charge_is_the_total(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if (total := total_of(order.items)) != order.total:
        yield f"its items sum up to {total}, and its total is {order.total}"
    if not order.transactions:
        return
    if order.charge.amount != order.total and not evidence.left_to_people:
        yield f"it is charged {order.charge.amount}, and its total is {order.total}"


def _open_is_attended(evidence: Evidence) -> Iterator[str]:
    for transaction in evidence.order.transactions:
        if transaction.is_open and transaction.attend_at is None:
            yield f"{transaction.id} is {transaction.status}, and nobody looks after it"


def _secrets_erased(evidence: Evidence) -> Iterator[str]:
    for transaction in evidence.order.transactions:
        secret = transaction.token or transaction.client_secret
        if secret and not transaction.is_open:
            yield f"{transaction.id} is {transaction.status}, and still keeps its token or secret"


def _shipped_was_paid(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    left = order.status in _LEFT
    if left is not bool(order.shipments):
        yield f"it is {order.status}, and has {len(order.shipments)} parcels"
    # What was taken may have gone back since; that it was taken does not change.
    if left and not order.captured_minor_units:
        yield f"it is {order.status}, and nothing was ever taken for it"


ALWAYS: Final = (
    Invariant(
        "begins_with_its_charge",
        "An order begins with a charge of ours, and every movement follows one of its own.",
        Scope.ALWAYS,
        _begins_with_its_charge,
    ),
    Invariant(
        "totals_follow",
        "The stored totals are what the stored movements come to.",
        Scope.ALWAYS,
        _totals_follow,
    ),
    Invariant(
        "one_live_charge",
        "At most one charge of ours is alive on an order.",
        Scope.ALWAYS,
        _one_live_charge,
    ),
    Invariant(
        "second_debit_reported",
        "A second debit on a placed order is put before a person.",
        Scope.ALWAYS,
        _second_debit_reported,
    ),
    Invariant(
        "booked_once",
        "What the provider took once is on record once.",
        Scope.ALWAYS,
        _booked_once,
    ),
    Invariant(
        "refunds_within_capture",
        "We never ask back more than was captured.",
        Scope.ALWAYS,
        _refunds_within_capture,
    ),
    Invariant(
        "charge_is_the_total",
        "What is charged is the order's total, which is the sum of its items.",
        Scope.ALWAYS,
        _charge_is_the_total,
    ),
    Invariant(
        "open_is_attended",
        "Whatever is not final has a time at which somebody looks after it.",
        Scope.ALWAYS,
        _open_is_attended,
    ),
    Invariant(
        "secrets_erased",
        "A final movement keeps neither payment token nor client secret.",
        Scope.ALWAYS,
        _secrets_erased,
    ),
    Invariant(
        "shipped_was_paid",
        "An order is shipped exactly if it has parcels, and only after its money was taken.",
        Scope.ALWAYS,
        _shipped_was_paid,
    ),
)
"""Rules about an order as it is."""
