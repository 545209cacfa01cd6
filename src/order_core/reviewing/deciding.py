"""A person decides about one transaction of an order."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from order_core.errors import CannotReview
from order_core.events import Reviewed
from order_core.order import Order
from order_core.payment import TransactionStatus
from order_core.payment_terms import PaymentTerms
from order_core.reviewing.accept import accepted
from order_core.reviewing.decision import LONGEST_NOTE, ReviewDecision
from order_core.reviewing.dispute_ended import dispute_lost, dispute_won
from order_core.reviewing.hold_ended import hold_ended
from order_core.reviewing.never_happened import said_never_to_have_happened
from order_core.reviewing.refund import refunded
from order_core.reviewing.refunded_otherwise import refunded_otherwise
from order_core.settlement.settling import Settling
from order_core.text import checked_text


def reviewed(
    order: Order,
    transaction_id: str,
    decision: ReviewDecision,
    *,
    note: str,
    by: str,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms,
) -> Order:
    """The order after a person's decision about one of its transactions.

    Raises:
        CannotReview: the order has no such transaction, it is not in review, it took
            nothing that could go back, the bank decides about that, the order lives on it,
            the provider has told what became of it, it is no open dispute, or no void of
            what is held still, and is not taken.
        InvalidValue: the note is empty or too long.
    """
    checked_text(note, "note", longest=LONGEST_NOTE)
    try:
        transaction = order.transaction(transaction_id)
    except KeyError:
        raise CannotReview(order.id, "no_such_transaction", "it has no such transaction") from None
    ends_a_dispute = decision in {ReviewDecision.DISPUTE_WON, ReviewDecision.DISPUTE_LOST}
    doubtful = transaction.status is TransactionStatus.IN_REVIEW or transaction.review is not None
    if not (doubtful or ends_a_dispute):
        raise CannotReview(order.id, "not_in_review", "this transaction is not in review")
    order = order.with_news(Reviewed(transaction.id, decision, by, note), at)
    return _DONE[decision](Settling(order, transaction, at, new_id, terms))


def _noted(deciding: Settling) -> Order:
    return deciding.order


_DONE: Final[Mapping[ReviewDecision, Callable[[Settling], Order]]] = {
    ReviewDecision.ACCEPT: accepted,
    ReviewDecision.REFUND: refunded,
    ReviewDecision.REFUNDED_OTHERWISE: refunded_otherwise,
    ReviewDecision.NEVER_HAPPENED: said_never_to_have_happened,
    ReviewDecision.HOLD_ENDED: hold_ended,
    ReviewDecision.DISPUTE_WON: dispute_won,
    ReviewDecision.DISPUTE_LOST: dispute_lost,
    ReviewDecision.NOTE: _noted,
}
