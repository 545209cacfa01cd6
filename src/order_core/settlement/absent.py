"""The provider shows no trace of the movement, or cannot show any."""

from datetime import datetime

from order_core.events import PaymentFailed, PutInReview
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.order import Order
from order_core.outcomes import Absence
from order_core.payment import LATE, NO_LOOK_UP, TransactionKind, TransactionStatus
from order_core.settlement.consequences import concluded
from order_core.settlement.refused import capture_refused, reversal_refused
from order_core.settlement.second_look import second_look_done
from order_core.settlement.settling import Settling


def absent(settling: Settling, fact: Absence) -> Order:
    """A look-up that found nothing; a no only if it was asked late enough."""
    transaction = settling.transaction
    if transaction.status is TransactionStatus.FAILED:
        due = transaction.attend_at
        early = due is not None and fact.asked_at < due
        return settling.order if early else second_look_done(settling, settling.order)
    asked = {TransactionStatus.RECORDED, TransactionStatus.UNKNOWN}
    skew = settling.terms.policy.clock_skew
    proven = transaction.absence_is_proof_at(fact.asked_at, clock_skew=skew)
    if transaction.status not in asked or not proven:
        return settling.order
    looks_again = transaction.kind in settling.terms.gateway.looks_up
    second_look = settling.at + transaction.horizon + skew if looks_again else None
    return _failed(settling, "never_reached_the_provider", attend_at=second_look)


def never_happened(settling: Settling) -> Order:
    """A person has seen that the provider has no trace of a movement that was given up."""
    return _failed(settling, "never_happened", attend_at=None)


def _failed(settling: Settling, reason: str, *, attend_at: datetime | None) -> Order:
    failed = settling.transaction.finished(
        TransactionStatus.FAILED, reason=reason, attend_at=attend_at
    )
    if failed.kind is TransactionKind.CAPTURE:
        return capture_refused(settling, failed, reason)
    if not failed.takes_money:
        return reversal_refused(settling, failed, reason)
    order = settling.order.with_transaction(failed).with_news(
        PaymentFailed(failed.id, reason), settling.at
    )
    return concluded(settling, order, failed, MoneyEvent.NEVER_HAPPENED)


def beyond_proof(
    order: Order, transaction_id: str, *, at: datetime, because: str = NO_LOOK_UP
) -> Order:
    """The order whose movement can neither be sent again nor looked up: a person decides.

    For movements that the provider has no look-up for, or does not know where it answers us;
    "we do not know" stays what it is.
    """
    transaction = order.transaction(transaction_id)
    # Why it was recorded decides what its success means, should it be told after all.
    reason = LATE if transaction.reason == LATE else because
    stuck = replace(
        transaction.finished(TransactionStatus.IN_REVIEW, reason=reason),
        review=because,
    )
    return order.with_transaction(stuck).with_news(PutInReview(stuck.id, because), at)
