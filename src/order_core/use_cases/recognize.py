"""Recognize a movement of ours in what a provider tells, whether or not it names it."""

from typing import Final

from order_core.order import Order
from order_core.outcomes import Declined, Reversed, Succeeded
from order_core.payment import (
    TAKING_KINDS,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import GatewayProfile
from order_core.ports import ProviderFact

ANONYMOUS: Final = frozenset({TransactionKind.CAPTURE, TransactionKind.VOID})
"""What a provider may tell of without saying whose it is."""

_TOLD_BY_SUM: Final = frozenset({TransactionKind.CAPTURE, TransactionKind.REFUND})
_IN_DOUBT: Final = frozenset({TransactionStatus.FAILED, TransactionStatus.IN_REVIEW})


def named(order: Order, transaction_id: str, fact: ProviderFact) -> PaymentTransaction:
    """Which of the order's movements a fact with our mark is about: ours, or one beside it."""
    ours = order.transaction(transaction_id)
    of_its_name = [t for t in order.transactions if t.provider_reference == fact.reference]
    beside = [
        t
        for t in of_its_name
        if (fact.kind in TAKING_KINDS and t.is_beside_ours and t.parent_id == transaction_id)
        or _was_made_beside(ours, t)
    ]
    # One that was said to be let go may stand still, and is on record once more.
    return max(beside, key=lambda t: t.is_live, default=ours)


def _was_made_beside(ours: PaymentTransaction, other: PaymentTransaction) -> bool:
    """Whether it is our refund, called dead and made after all, or made a second time."""
    again = not ours.is_live or ours.provider_reference not in {None, other.provider_reference}
    refunds = ours.kind is other.kind is TransactionKind.REFUND
    here = other.origin is Origin.PROVIDER and other.is_live and other.parent_id == ours.parent_id
    return again and refunds and here


def is_about(transaction: PaymentTransaction, fact: ProviderFact) -> bool:
    """Whether the fact is about our transaction itself, and not about something done to it.

    What somebody does at the provider's dashboard often inherits the metadata of the payment
    that it is done to: a refund then names our charge.
    """
    if isinstance(fact.outcome, Reversed):
        return transaction.kind is TransactionKind.REFUND
    both_take = transaction.takes_money and fact.kind in TAKING_KINDS
    return transaction.kind is fact.kind or both_take


def known_by(order: Order, fact: ProviderFact) -> PaymentTransaction | None:
    """What we asked to be done to a payment, waits for news, and has the fact's reference."""
    kind = TransactionKind.REFUND if isinstance(fact.outcome, Reversed) else fact.kind
    same = [
        t for t in order.transactions if (t.kind, t.provider_reference) == (kind, fact.reference)
    ]
    # Done after it was called absent, it stands beside that, and what comes later is about it.
    known = max(same, key=lambda t: t.is_live, default=None)
    if known is None or known.takes_money:
        return None
    # What was asked about in vain waits, too, and a person may have been wrong about it.
    waits = known.is_open or known.status in _IN_DOUBT or known.is_done_unseen
    return known if waits else None


def unseen(
    order: Order, parent: PaymentTransaction, fact: ProviderFact
) -> PaymentTransaction | None:
    """Ours that nobody has seen, if it must be the one that is told.

    Booked beside it, the same money would count twice. It must be if a person has accepted it, or
    if there is no room for two, of whatever sum it was asked for.
    """
    done = isinstance(fact.outcome, Succeeded)
    returned = _returned_as(order, fact)
    if returned is not None and (returned.provider_reference is None or not done):
        return returned
    of_the_same_sum = _of_the_same_sum(order, parent, fact)
    if isinstance(fact.outcome, Declined) and any(t.is_undecided for t in of_the_same_sum):
        # A refusal is told with no sum: it may be that of the one which is on its way.
        return None
    accepted = [t for t in of_the_same_sum if t.status is TransactionStatus.SUCCEEDED]
    # What came back is told of once more only by the name of its return: this is another.
    still_there = [t for t in accepted if not order.returned_of(t)]
    if still_there or (accepted and not isinstance(fact.outcome, Reversed)):
        return (still_there or accepted)[0]
    candidates = of_the_same_sum or [
        t for t in _without_a_name(order, parent, fact) if _is_decided_by_people(t)
    ]
    if not done or len(candidates) != 1 or _room_in(order, parent, fact.kind) >= _sum_in(fact):
        return None
    (ours,) = candidates
    if ours.is_done_unseen:
        return ours
    # What an open capture came to is shown by its answer, or by a look at its hold.
    return ours if ours.is_given_up or ours.kind is TransactionKind.REFUND else None


def _returned_as(order: Order, fact: ProviderFact) -> PaymentTransaction | None:
    """The refund that has come back by this name, which need not be the refund's own."""
    for back in order.transactions:
        known = (back.kind, back.provider_reference) == (TransactionKind.REVERSAL, fact.reference)
        if known and fact.kind is TransactionKind.REFUND and back.parent_id is not None:
            refund = order.transaction(back.parent_id)
            if refund.kind is TransactionKind.REFUND:
                return refund
    return None


def _is_decided_by_people(transaction: PaymentTransaction) -> bool:
    """Whether nothing is on its way any more, and only a person has said what became of it."""
    # Of a capture he has to say so first: it is told which one it was once he has.
    refund = transaction.kind is TransactionKind.REFUND
    return transaction.is_done_unseen or (refund and transaction.is_given_up)


def _of_the_same_sum(
    order: Order, parent: PaymentTransaction, fact: ProviderFact
) -> list[PaymentTransaction]:
    """What may be what the fact tells without saying whose it is: ours, by no reference yet.

    That a refund came back is told with its sum, too; that it failed, with none.
    """
    amount = getattr(fact.outcome, "amount", None)
    return [
        t
        for t in _without_a_name(order, parent, fact)
        if (t.is_undecided or t.is_done_unseen if amount is None else t.amount == amount)
    ]


def _without_a_name(
    order: Order, parent: PaymentTransaction, fact: ProviderFact
) -> list[PaymentTransaction]:
    """What may be what the fact tells, of whatever sum: ours, by no reference yet."""
    told = fact.outcome
    if fact.kind not in _TOLD_BY_SUM or not isinstance(told, Succeeded | Reversed | Declined):
        return []
    if any(
        (t.kind, t.provider_reference) == (fact.kind, fact.reference) for t in order.transactions
    ):
        # Told again, it is the one that it was found to be.
        return []
    return [
        t
        for t in order.transactions
        if (t.kind, t.parent_id, t.provider_reference) == (fact.kind, parent.id, None)
        and t.is_live
        and t.may_have_run
    ]


def _room_in(order: Order, parent: PaymentTransaction, kind: TransactionKind) -> int:
    """How much more can be taken of a hold, or given back of a payment."""
    if kind is TransactionKind.REFUND:
        return order.left_of(parent)
    taken = [t for t in order.transactions if (t.kind, t.parent_id) == (kind, parent.id)]
    return parent.amount.minor_units - sum(t.amount.minor_units for t in taken if t.is_live)


def _sum_in(fact: ProviderFact) -> int:
    return fact.outcome.amount.minor_units if isinstance(fact.outcome, Succeeded) else 0


def may_be_ours(
    order: Order, parent: PaymentTransaction, fact: ProviderFact, gateway: GatewayProfile
) -> bool:
    """Whether ours is on its way, and nobody knows yet which of the two this is."""
    if any(t.is_undecided for t in _of_the_same_sum(order, parent, fact)):
        return True
    return fact.kind in ANONYMOUS and any(
        t.kind is fact.kind
        and t.parent_id == parent.id
        and t.is_open
        # One that is answered by nothing but events has its own name from its answer on.
        and (t.provider_reference is None or t.kind in gateway.looks_up)
        for t in order.transactions
    )


def moves_nothing(fact: ProviderFact) -> bool:
    """Whether it is the refusal of a capture or void: whatever was there before is there still."""
    return fact.kind in ANONYMOUS and isinstance(fact.outcome, Declined)
