"""Recognize a movement of ours in what a provider tells by our mark, or by its own reference."""

from typing import Final

from order_core.order import Order
from order_core.outcomes import Reversed
from order_core.payment import (
    TAKING_KINDS,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.ports import ProviderFact

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
