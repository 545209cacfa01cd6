"""How long the worker waits before it looks after an open movement again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from order_core.immutable import replace
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus, fingerprint
from order_core.payment_terms import CAPTURE_MARGIN, Policy

LONGEST_WAIT: Final = timedelta(minutes=15)
_LONGEST_UNHEARD: Final = timedelta(days=14)
"""So long an event is waited for that alone can tell how a movement ends."""
_WHILE_A_PERSON_DECIDES: Final = timedelta(days=1)
_MOST_DOUBLINGS: Final = 10
_MOST_QUESTIONS: Final = 5


def attended(
    order: Order,
    transaction_ids: set[str],
    now: datetime,
    policy: Policy,
    can_be_asked_about: Callable[[PaymentTransaction], bool],
) -> Order:
    """The order with the next look at each of these movements put off, if it is due still."""
    for transaction in order.transactions:
        still_due = transaction.attend_at is not None and transaction.attend_at <= now
        if transaction.id in transaction_ids and still_due:
            order = order.with_transaction(
                replace(
                    transaction,
                    attempts=transaction.attempts + 1,
                    attend_at=next_look(
                        order,
                        transaction,
                        now,
                        policy,
                        can_be_asked_about=can_be_asked_about(transaction),
                    ),
                )
            )
    return order


def next_look(
    order: Order,
    transaction: PaymentTransaction,
    now: datetime,
    policy: Policy,
    *,
    can_be_asked_about: bool,
) -> datetime | None:
    """Twice as late each time, with jitter, but never later than something can be concluded.

    A hold is asked about a few times, and then left alone until somebody must decide about
    it; None if the provider does not tell when that is. Not so while it must be let go.
    """
    if (
        transaction.status is TransactionStatus.AUTHORIZED
        and transaction.attempts >= _MOST_QUESTIONS
        and not _awaits_a_void(order, transaction)
    ):
        if transaction.capture_before is None:
            return None
        if now < (decided := transaction.capture_before - CAPTURE_MARGIN):
            return decided
        if void_in_review(order, transaction) or not _is_decided_about(order, transaction):
            # Whether it ends by itself is all that is left to find out.
            if not can_be_asked_about:
                return None
            return max(transaction.capture_before, now + _WHILE_A_PERSON_DECIDES)
    if transaction.status is TransactionStatus.PENDING and not can_be_asked_about:
        # Its event is welcome at any time, and a look finds out nothing.
        return max(given_up_from(transaction, policy), now + LONGEST_WAIT)
    doublings = min(transaction.attempts, _MOST_DOUBLINGS)
    wait = min(policy.recovery_delay * 2**doublings, LONGEST_WAIT)
    at = now + wait * _jitter(transaction)
    decisive = _decisive_moment(transaction, policy)
    return decisive if decisive is not None and now < decisive < at else at


def given_up_from(transaction: PaymentTransaction, policy: Policy) -> datetime:
    """From when on a person decides about what nobody can ask about, and no event has ended."""
    return transaction.absence_is_proof_from(policy.clock_skew) + _LONGEST_UNHEARD


def _is_decided_about(order: Order, hold: PaymentTransaction) -> bool:
    # What is begun, or left, is neither cancelled nor captured because its hold is about to end.
    waits = order.lets_go or order.status is OrderStatus.PENDING
    return waits and order.lives_on(hold)


def void_in_review(order: Order, hold: PaymentTransaction) -> bool:
    """Whether the provider goes on refusing to let the hold go, and a person has to decide."""
    return any(void.review for void in _voids_of(order, hold))


def _voids_of(order: Order, hold: PaymentTransaction) -> list[PaymentTransaction]:
    return [
        t for t in order.transactions if t.kind is TransactionKind.VOID and t.parent_id == hold.id
    ]


def _awaits_a_void(order: Order, hold: PaymentTransaction) -> bool:
    # One on its way brings the hold back if it fails; one in review is a person's to decide, and
    # while that is so of a capture, nothing can be let go.
    on_its_way = any(void.is_live for void in _voids_of(order, hold))
    for_a_person = void_in_review(order, hold) or order.may_be_taken(hold)
    return order.lets_go and not on_its_way and not for_a_person


def _decisive_moment(transaction: PaymentTransaction, policy: Policy) -> datetime | None:
    if transaction.status is TransactionStatus.ACTION_REQUIRED:
        return transaction.action_expires_at
    if transaction.status in {TransactionStatus.RECORDED, TransactionStatus.UNKNOWN}:
        return transaction.absence_is_proof_from(policy.clock_skew)
    return None


def _jitter(transaction: PaymentTransaction) -> float:
    # Between 0.5 and 1, from the movement itself: workers that saw the provider fail
    # together come back apart, and a test sees the same times every run.
    digest = fingerprint(transaction.id, str(transaction.attempts))
    return 0.5 + int(digest[:8], 16) / 2**33
