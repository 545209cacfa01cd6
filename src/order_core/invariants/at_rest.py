"""What is true of an order when everything about it is settled."""

from collections.abc import Iterator
from typing import Final

from order_core.invariants.evidence import Evidence
from order_core.invariants.kinds_of_order import ENDED, PLACED, TAKES
from order_core.invariants.rule import Invariant, Scope
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind, TransactionStatus


def _placed_is_paid(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if order.status not in PLACED or not order.transactions:
        return
    hold = order.charge
    held = hold.status is TransactionStatus.AUTHORIZED and hold.amount == order.total
    # Goods leave only against money; until then a hold may end, and the shop is told.
    ended = hold.status is TransactionStatus.VOIDED
    if order.status is OrderStatus.PENDING and (held or ended):
        return
    if order.captured_minor_units != order.total.minor_units:
        yield f"it is {order.status}: {order.captured_minor_units} of {order.total} was captured"


def _ended_nets_to_zero(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if order.status not in ENDED:
        return
    kept = order.captured_minor_units - order.refunded_minor_units
    if kept > 0:
        # What the bank took back was taken, and nobody gives it back a second time.
        kept = max(kept - _lost_to_disputes(order), 0)
    if kept:
        yield f"it is {order.status} and keeps {kept} minor units"
    held = [t.id for t in order.transactions if t.status is TransactionStatus.AUTHORIZED]
    if held:
        yield f"it is {order.status} and still holds {', '.join(held)}"


def _given_back_within_capture(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if (back := order.refunded_minor_units) > (captured := order.captured_minor_units):
        yield f"{back} given back of {captured} captured (minor units)"


def _paid_holds_nothing(evidence: Evidence) -> Iterator[str]:
    order = evidence.order
    if order.status not in PLACED or order.payment_status is PaymentStatus.IN_REVIEW:
        return
    # What the provider would not let go of is on record as that, and a person knows of it.
    voids = [t for t in order.transactions if t.kind is TransactionKind.VOID]
    refused = {t.parent_id for t in voids if t.status is TransactionStatus.DECLINED}
    for held in order.transactions:
        if order.is_spare(held) and held.id not in refused:
            yield f"it is paid, and {held.id} still holds {held.amount}"


def _lost_to_disputes(order: Order) -> int:
    # What came back of a refund hangs on the refund, and is ours to give again.
    paid = [t for t in order.transactions if t.takes_money or t.kind in TAKES]
    return sum(order.taken_back_of(t) for t in paid if not order.is_disputed(t))


def _nothing_is_open(evidence: Evidence) -> Iterator[str]:
    for transaction in evidence.order.transactions:
        if transaction.is_open:
            yield f"{transaction.id} is {transaction.status}"


def _rest_is_reachable(evidence: Evidence) -> Iterator[str]:
    if evidence.had_all_time and not evidence.at_rest:
        yield f"it never comes to rest: somebody looks after it at {evidence.order.attend_at}"


def _people_are_spared(evidence: Evidence) -> Iterator[str]:
    if evidence.spares_people and evidence.order.payment_status is PaymentStatus.IN_REVIEW:
        yield "it is left to a person, and nothing happened that a person has to decide about"


def _reviews_end(evidence: Evidence) -> Iterator[str]:
    if evidence.people_decided and evidence.order.payment_status is PaymentStatus.IN_REVIEW:
        yield "staff has decided, and it is in review still"


def _events_delivered(evidence: Evidence) -> Iterator[str]:
    if evidence.untold_events:
        yield f"{evidence.untold_events} of its events were never told"


AT_REST: Final = (
    Invariant(
        "nothing_is_open",
        "An order that rests has no movement without a last word.",
        Scope.AT_REST,
        _nothing_is_open,
    ),
    Invariant(
        "placed_is_paid",
        "A placed order is paid in full, or held in full until it is processed.",
        Scope.AT_REST,
        _placed_is_paid,
    ),
    Invariant(
        "ended_nets_to_zero",
        "A cancelled or failed order keeps nothing and holds nothing.",
        Scope.AT_REST,
        _ended_nets_to_zero,
    ),
    Invariant(
        "given_back_within_capture",
        "No more goes back than was taken, unless a person has heard of it.",
        Scope.AT_REST,
        _given_back_within_capture,
    ),
    Invariant(
        "paid_holds_nothing",
        "A placed order that is paid holds no more of its buyer's money.",
        Scope.AT_REST_WHOEVER_DECIDES,
        _paid_holds_nothing,
    ),
    Invariant(
        "events_delivered",
        "Every event that the customer should hear of was told.",
        Scope.AT_REST_WHOEVER_DECIDES,
        _events_delivered,
    ),
    Invariant(
        "rest_is_reachable",
        "Given time, every order comes to rest.",
        Scope.ALWAYS,
        _rest_is_reachable,
    ),
    Invariant(
        "people_are_spared",
        "No person is asked where the protocol can know what became of the money.",
        Scope.ALWAYS,
        _people_are_spared,
    ),
    Invariant(
        "reviews_end",
        "What a person decided ends the review.",
        Scope.AT_REST_WHOEVER_DECIDES,
        _reviews_end,
    ),
)
"""Rules about an order that nobody has to look after any more, and about coming to that."""
