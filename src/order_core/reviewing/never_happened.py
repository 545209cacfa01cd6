"""The provider has no trace of what nobody could ask about, says a person who has looked."""

from order_core.errors import CannotReview
from order_core.immutable import replace
from order_core.order import Order
from order_core.payment import ONE_WAS_REFUSED, Origin, TransactionStatus
from order_core.settlement.absent import never_happened
from order_core.settlement.refund_undone import refund_returned
from order_core.settlement.review import ANOTHER_TRANSACTION
from order_core.settlement.settling import Settling


def said_never_to_have_happened(deciding: Settling) -> Order:
    """The order as if the provider had proven that nothing ran.

    Raises:
        CannotReview: the provider has told what became of it, or a request may still arrive.
    """
    transaction = deciding.transaction
    anothers = transaction.takes_money and transaction.review == ANOTHER_TRANSACTION
    if anothers and transaction.is_open:
        return _not_waited_for_any_more(deciding)
    if transaction.review == ONE_WAS_REFUSED:
        refused = replace(transaction, review=None)
        order = deciding.order.with_transaction(refused)
        return refund_returned(replace(deciding, order=order), refused, ONE_WAS_REFUSED)
    given_up = transaction.is_given_up
    booked_here = anothers and transaction.status is TransactionStatus.IN_REVIEW
    if not (given_up or booked_here) or _was_followed(deciding):
        because = "the provider has told what became of it"
        raise CannotReview(deciding.order.id, "known_to_the_provider", because)
    if booked_here:
        # What becomes of another's payment is not of this order: a refund of it would be on
        # record here without what it gives back.
        transaction = replace(transaction, provider_reference=None)
    return never_happened(replace(deciding, transaction=transaction))


def _not_waited_for_any_more(deciding: Settling) -> Order:
    """It would be asked about for as long as another's payment is shown in its place.

    A person may end that, but not while a request of ours may arrive, or waits at the provider.
    """
    transaction = deciding.transaction
    asked = transaction.status in {TransactionStatus.RECORDED, TransactionStatus.UNKNOWN}
    skew = deciding.terms.policy.clock_skew
    if not (asked and transaction.absence_is_proof_at(deciding.at, clock_skew=skew)):
        because = "this transaction has no outcome yet"
        raise CannotReview(deciding.order.id, "still_open", because)
    return never_happened(replace(deciding, transaction=replace(transaction, review=None)))


def _was_followed(deciding: Settling) -> bool:
    """Whether the provider has told what was done to it since: taken, given back or disputed."""
    return any(
        t.parent_id == deciding.transaction.id
        and t.origin is Origin.PROVIDER
        and t.is_live
        and not t.takes_money
        for t in deciding.order.transactions
    )
