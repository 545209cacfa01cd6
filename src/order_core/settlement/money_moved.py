"""The money moved, or is held: the first word about a movement that was open."""

from typing import Final

from order_core.events import (
    PaymentCaptured,
    PaymentRefunded,
    PaymentVoided,
)
from order_core.giving_back import letting_go_what_is_spare
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.order import Order
from order_core.outcomes import Answer, Authorized, Report, Succeeded
from order_core.payment import LATE, PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import decided_by
from order_core.settlement.after_the_last_word import money_moved_after_the_last_word
from order_core.settlement.consequences import PAID_ALREADY, concluded
from order_core.settlement.hold import held_and_taken, is_taken, let_go
from order_core.settlement.refunded_beyond import is_of_more, refunded_beyond
from order_core.settlement.review import against_our_wish, another_amount, in_review
from order_core.settlement.settling import Settling
from order_core.settlement.without_our_mark import without_our_mark

_SUCCESS_OF_KIND: Final = {
    TransactionKind.CHARGE: Succeeded,
    TransactionKind.AUTHORIZATION: Authorized,
    TransactionKind.CAPTURE: Succeeded,
    TransactionKind.VOID: Succeeded,
    TransactionKind.REFUND: Succeeded,
}


def money_moved(
    settling: Settling, outcome: Succeeded | Authorized, fact: Answer | Report
) -> Order:
    """A success, of whatever kind."""
    transaction = settling.transaction
    if outcome.transaction_id not in _marks_of(transaction, outcome):
        return without_our_mark(settling, outcome, fact)
    if not transaction.is_undecided:
        return money_moved_after_the_last_word(settling, outcome)
    holds = transaction.kind is TransactionKind.AUTHORIZATION
    if holds and is_taken(settling.order, transaction):
        return held_and_taken(settling, outcome)
    if outcome.amount != transaction.amount and not is_of_more(transaction, outcome):
        return another_amount(settling, outcome)
    if holds and isinstance(outcome, Succeeded):
        return held_and_taken(settling, outcome)
    if not isinstance(outcome, _SUCCESS_OF_KIND[transaction.kind]):
        return against_our_wish(settling, outcome)
    if transaction.takes_money:
        return _paid(settling, outcome)
    if transaction.kind is TransactionKind.VOID:
        return _voided(settling, outcome)
    if transaction.kind is TransactionKind.CAPTURE:
        return _captured(settling, outcome)
    done = transaction.finished(TransactionStatus.SUCCEEDED, reference=outcome.reference)
    news = PaymentRefunded(done.id, str(done.amount), outcome.reference)
    order = settling.order.with_transaction(done).with_news(news, settling.at)
    order = concluded(settling, order, done, MoneyEvent.REFUNDED)
    return refunded_beyond(replace(settling, order=order), done, outcome)


def _marks_of(transaction: PaymentTransaction, outcome: Succeeded | Authorized) -> set[str | None]:
    """What the provider's object may carry: our id, or that of the payment it stands beside.

    A refund may carry nothing, if it is the one to which the provider gave this reference:
    doubted, it would be asked about for ever.
    """
    if transaction.is_beside_ours:
        return {transaction.id, transaction.parent_id}
    same = transaction.provider_reference == outcome.reference
    if transaction.kind is TransactionKind.REFUND and same:
        return {transaction.id, ""}
    return {transaction.id}


def _paid(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    if isinstance(outcome, Authorized):
        held = settling.transaction.finished(
            TransactionStatus.AUTHORIZED, reference=outcome.reference
        )
        ends = outcome.capture_before
        done = replace(
            held,
            capture_before=ends,
            attend_at=decided_by(ends, now=settling.at),
        )
    else:
        done = settling.transaction.finished(
            TransactionStatus.SUCCEEDED, reference=outcome.reference
        )
    event = MoneyEvent.HELD if isinstance(outcome, Authorized) else MoneyEvent.CHARGED
    return concluded(settling, settling.order.with_transaction(done), done, event)


def _captured(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    capture = settling.transaction.finished(
        TransactionStatus.SUCCEEDED, reference=outcome.reference
    )
    news = PaymentCaptured(capture.id, str(capture.amount), outcome.reference)
    order = settling.order.with_transaction(capture).with_news(news, settling.at)
    held = order.transaction(capture.parent_id or "")
    if held.status is TransactionStatus.AUTHORIZED:
        # Taken now, and held no longer: nobody may void it.
        order = order.with_transaction(held.finished(TransactionStatus.SUCCEEDED))
    if settling.order.is_paid_in_part:
        # A person accepted another payment, or a part of one, while this one was under way.
        return concluded(settling, order, capture, MoneyEvent.SECOND_DEBIT, doubt=PAID_ALREADY)
    # What went back, or is disputed, while it was under way begins nothing, whoever asked.
    begins = settling.transaction.reason != LATE and order.is_paid
    event = MoneyEvent.CAPTURED if begins else MoneyEvent.CAPTURED_BEGINNING_NOTHING
    order = concluded(settling, order, capture, event)
    return letting_go_what_is_spare(
        order, at=settling.at, new_id=settling.new_id, terms=settling.terms
    )


def _voided(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    done = settling.transaction.finished(TransactionStatus.SUCCEEDED, reference=outcome.reference)
    order = settling.order.with_transaction(done).with_news(PaymentVoided(done.id), settling.at)
    parent = order.transaction(done.parent_id or "")
    if parent.status is TransactionStatus.SUCCEEDED:
        # The provider says taken and let go at once; only a person can tell which.
        return in_review(settling, "voided_after_success")
    if not parent.is_live:
        return order
    order = order.with_transaction(parent.finished(TransactionStatus.VOIDED, reason="voided"))
    if parent.is_beside_ours:
        # What becomes of the order is for its own payment to say.
        return order
    return let_go(settling, order, done)
