"""A hold has ended at the provider, which did not tell."""

from order_core.errors import CannotReview
from order_core.immutable import replace
from order_core.order import Order
from order_core.outcomes import Declined, Report
from order_core.payment import (
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.reviewing.decision import ENDED_BY_REVIEW
from order_core.settlement.refused import REVERSAL_REFUSED, declined
from order_core.settlement.settling import Settling


def hold_ended(deciding: Settling) -> Order:
    """What a void was to let go has ended; the provider refused the void, or nobody could ask.

    Raises:
        CannotReview: it is no void, it has an outcome or none yet, or its hold may be taken, or
            is not held any more.
    """
    order, void = deciding.order, deciding.transaction
    if void.kind is not TransactionKind.VOID:
        raise CannotReview(order.id, "no_void", "it is no void")
    if void.is_open:
        raise CannotReview(order.id, "still_open", "this transaction has no outcome yet")
    if void.is_live and not void.is_given_up:
        raise CannotReview(order.id, "not_refused", "this void was not refused: accept it")
    hold = order.transaction(void.parent_id or "")
    if refusal := _why_it_may_stand(order, hold):
        raise CannotReview(order.id, *refusal)
    for answered in order.transactions:
        if answered.id == void.id or _asks_what_became_of(hold, answered):
            order = order.with_transaction(_answered(answered))
    # What the provider would have told, and so whatever it tells later is late.
    end = Declined(ENDED_BY_REVIEW, reference=hold.provider_reference)
    return declined(replace(deciding, order=order, transaction=hold), end, Report(end))


def _why_it_may_stand(order: Order, hold: PaymentTransaction) -> tuple[str, str] | None:
    """Why a person cannot say yet that a hold has ended (a word, a clause), or None if he can."""
    capture = (TransactionKind.CAPTURE, hold.id)
    if order.may_be_taken(hold):
        return ("capture_in_review", "decide about its capture first")
    if any(t.is_open and (t.kind, t.parent_id) == capture for t in order.transactions):
        return ("capture_in_progress", "its money is being taken just now")
    if hold.status is TransactionStatus.IN_REVIEW:
        return ("hold_in_review", "decide about what it was to let go first")
    if not hold.is_held:
        return ("not_held", "what it was to let go is not held any more: accept it")
    return None


def _answered(void: PaymentTransaction) -> PaymentTransaction:
    """One of which nobody knows counts as done; one that was refused stays so."""
    answered = replace(void, review=None)
    in_doubt = void.status is TransactionStatus.IN_REVIEW
    return replace(answered, status=TransactionStatus.SUCCEEDED) if in_doubt else answered


def _asks_what_became_of(hold: PaymentTransaction, void: PaymentTransaction) -> bool:
    """Whether it is one more void of the hold that a person has to decide about for that alone."""
    of_it = (void.kind, void.parent_id) == (TransactionKind.VOID, hold.id)
    refused = (void.review or "").startswith(REVERSAL_REFUSED)
    return of_it and (refused or void.is_given_up)
