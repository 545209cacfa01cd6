"""What is true of an order and the provider's own books, which nobody here writes."""

from collections.abc import Iterator
from typing import Final

from order_core.invariants.evidence import Evidence, RefundWish
from order_core.invariants.kinds_of_order import ENDED, TAKES
from order_core.invariants.rule import Invariant, Scope
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind, TransactionStatus

_TAKES_OR_HOLDS: Final = TAKES | {TransactionKind.AUTHORIZATION}


def _charged_once(evidence: Evidence) -> Iterator[str]:
    taken = [
        movement
        for movement in evidence.alive_at_provider or ()
        if movement.is_done and movement.kind in TAKES and movement.transaction_id is not None
    ]
    if len(taken) > 1:
        yield f"the provider took {len(taken)} times: {'; '.join(m.says for m in taken)}"


def _failed_is_unpaid(evidence: Evidence) -> Iterator[str]:
    if evidence.order.status is not OrderStatus.PAYMENT_FAILED or evidence.decided_by_people:
        return
    for movement in evidence.alive_at_provider or ():
        if movement.is_done and movement.kind in _TAKES_OR_HOLDS:
            yield f"it is called failed, and {movement.says}"


def _dead_means_dead(evidence: Evidence) -> Iterator[str]:
    alive = {m.transaction_id: m for m in evidence.alive_at_provider or ()}
    for transaction in evidence.order.transactions:
        if not transaction.is_live and (movement := alive.get(transaction.id)):
            yield f"{transaction.id} is {transaction.status}, and {movement.says}"


def _books_agree(evidence: Evidence) -> Iterator[str]:
    if evidence.at_provider is None:
        return
    order = evidence.order
    ours = sorted(
        (t.kind in TAKES, t.amount.minor_units)
        for t in order.transactions
        if t.status is TransactionStatus.SUCCEEDED
        and (t.kind in TAKES or t.kind is TransactionKind.REFUND)
    )
    theirs = sorted((m.kind in TAKES, m.amount.minor_units) for m in evidence.at_provider)
    if ours != theirs and _with_refunds_added_up(order) != theirs:
        yield f"our books have {_as_words(ours)}; the provider has {_as_words(theirs)}"


def _with_refunds_added_up(order: Order) -> list[tuple[bool, int]]:
    # What went back beyond a refund of ours stands beside it, and is one refund at the provider.
    done = [t for t in order.transactions if t.status is TransactionStatus.SUCCEEDED]
    refunds: dict[str, int] = {}
    for refund in done:
        if refund.kind is TransactionKind.REFUND:
            name = refund.provider_reference or refund.id
            refunds[name] = refunds.get(name, 0) + refund.amount.minor_units
    taken = [(True, t.amount.minor_units) for t in done if t.kind in TAKES]
    return sorted([*taken, *((False, minor_units) for minor_units in refunds.values())])


def _as_words(movements: list[tuple[bool, int]]) -> str:
    words = [f"{'taken' if took else 'given back'} {amount}" for took, amount in movements]
    return ", ".join(words) or "nothing"


def _holds_agree(evidence: Evidence) -> Iterator[str]:
    ours = sum(t.status is TransactionStatus.AUTHORIZED for t in evidence.order.transactions)
    theirs = evidence.held_at_provider
    if theirs is not None and ours != theirs:
        yield f"our books have {ours} holds; the provider has {theirs}"


def _totals_agree(evidence: Evidence) -> Iterator[str]:
    if evidence.at_provider is None:
        return
    ours = evidence.order.captured_minor_units - evidence.order.refunded_minor_units
    theirs = _taken(evidence) - _given_back(evidence)
    if ours != theirs:
        yield f"we say that {ours} minor units were kept; the provider says {theirs}"


def _kept_within_total(evidence: Evidence) -> Iterator[str]:
    kept = _taken(evidence) - _given_back(evidence)
    if kept > evidence.order.total.minor_units:
        yield f"{kept} minor units are kept, and its total is {evidence.order.total}"
    if kept < 0:
        yield f"{-kept} minor units more were given back than taken"


def _refunds_as_asked(evidence: Evidence) -> Iterator[str]:
    wishes = evidence.refund_wishes
    # An order that ended is given back as a whole, whatever else was asked.
    if wishes is None or evidence.at_provider is None or evidence.order.status in ENDED:
        return
    captured, back = evidence.order.captured_minor_units, _given_back(evidence)
    least = _sum([w for w in wishes if w.is_accepted], captured)
    most = _sum([w for w in wishes if w.is_accepted or not w.is_refused], captured)
    if not least <= back <= most:
        yield f"{back} was given back; accepted were {least}, and at most {most} was asked"


def _sum(wishes: list[RefundWish], captured_minor_units: int) -> int:
    if any(wish.minor_units is None for wish in wishes):
        return captured_minor_units
    return sum(wish.minor_units or 0 for wish in wishes)


def _taken(evidence: Evidence) -> int:
    return sum(m.amount.minor_units for m in evidence.at_provider or () if m.kind in TAKES)


def _given_back(evidence: Evidence) -> int:
    return sum(m.amount.minor_units for m in evidence.at_provider or () if m.kind not in TAKES)


AT_PROVIDER: Final = (
    Invariant(
        "charged_once",
        "However often a request is repeated, lost or late, the provider takes once.",
        Scope.ALWAYS,
        _charged_once,
    ),
    Invariant(
        "failed_is_unpaid",
        "Called failed, and not by a person, an order has nothing taken or held at the provider.",
        Scope.ALWAYS,
        _failed_is_unpaid,
    ),
    Invariant(
        "dead_means_dead",
        "What we say did not happen has not happened at the provider, and will not.",
        Scope.ALWAYS,
        _dead_means_dead,
    ),
    Invariant(
        "books_agree",
        "What we have on record is what the provider has on record.",
        Scope.AT_REST_UNDECIDED,
        _books_agree,
    ),
    Invariant(
        "totals_agree",
        "What we say we kept is what the provider says it gave us.",
        Scope.AT_REST_WHOEVER_DECIDES,
        _totals_agree,
    ),
    Invariant(
        "holds_agree",
        "The provider holds what we say it holds.",
        Scope.AT_REST_WHOEVER_DECIDES,
        _holds_agree,
    ),
    Invariant(
        "kept_within_total",
        "Nobody pays more than the total, or gets back more than was paid.",
        Scope.AT_REST_UNDECIDED,
        _kept_within_total,
    ),
    Invariant(
        "refunds_as_asked",
        "A refund that was accepted is made once; one that nobody asked for is not made.",
        Scope.AT_REST,
        _refunds_as_asked,
    ),
)
"""Rules about what the provider has, and what we say it has."""
