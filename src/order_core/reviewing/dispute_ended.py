"""A dispute has ended at the provider, which did not tell."""

from order_core.errors import CannotReview
from order_core.immutable import replace
from order_core.order import Order
from order_core.outcomes import Restored, Reversed
from order_core.payment import DISPUTE_OPEN, TransactionKind
from order_core.reviewing.decision import ENDED_BY_REVIEW
from order_core.settlement.consequences import PAID_ALREADY
from order_core.settlement.disputes import told_of_dispute
from order_core.settlement.settling import Settling


def dispute_won(deciding: Settling) -> Order:
    """The bank has decided for us. Raises CannotReview: it is no open dispute."""
    return _dispute_ended(deciding, Restored)


def dispute_lost(deciding: Settling) -> Order:
    """The bank has decided against us. Raises CannotReview: it is no open dispute."""
    return _dispute_ended(deciding, Reversed)


def _dispute_ended(deciding: Settling, end: type[Restored | Reversed]) -> Order:
    order, dispute = deciding.order, deciding.transaction
    same = (dispute.kind, dispute.parent_id, dispute.provider_reference)
    words = [t for t in order.transactions if (t.kind, t.parent_id, t.provider_reference) == same]
    if dispute.kind is not TransactionKind.REVERSAL or words[-1].reason != DISPUTE_OPEN:
        raise CannotReview(order.id, "no_open_dispute", "this transaction is no open dispute")
    seen, last = order, words[-1]
    for earlier in words:
        seen = seen.with_transaction(replace(earlier, review=None))
    paid = seen.transaction(dispute.parent_id or "")
    word = end(dispute.provider_reference or "", last.amount, ENDED_BY_REVIEW)
    # A person's word comes after all that was heard, and before all that the provider says later.
    deciding = replace(deciding, order=seen, transaction=paid)
    ended = told_of_dispute(deciding, word, last.provider_sequence)
    for transaction in ended.transactions[len(seen.transactions) :]:
        if transaction.review != PAID_ALREADY and transaction.kind is TransactionKind.REVERSAL:
            # Whoever says so has looked at it.
            ended = ended.with_transaction(replace(transaction, review=None))
    return ended
