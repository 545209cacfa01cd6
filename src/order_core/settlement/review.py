"""What contradicts us waits for a person."""

from typing import Final

from order_core.events import PutInReview
from order_core.immutable import replace
from order_core.order import Order
from order_core.outcomes import Authorized, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.settlement.hold import hold_taken, is_taken
from order_core.settlement.refused_after_all import shown_after_all, without_its_refusal
from order_core.settlement.settling import Settling

ANOTHER_TRANSACTION: Final = "names_another_transaction"
ANOTHER_AMOUNT: Final = "amount_differs"

_TAKES_BACK: Final = frozenset({TransactionKind.REFUND, TransactionKind.REVERSAL})


def against_our_wish(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """Held instead of taken."""
    order = in_review(settling, "held_against_our_wish", outcome.reference)
    return _as_it_was_done(settling, order, outcome)


def another_amount(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """Our movement, with an amount that is not ours."""
    ours, reason = settling.transaction, f"{ANOTHER_AMOUNT}:{outcome.amount}"
    if ours.kind is TransactionKind.AUTHORIZATION and isinstance(outcome, Succeeded):
        # What was captured of it may have a reference of its own.
        order = in_review(settling, reason, ours.provider_reference or outcome.reference)
        if not _can_be_booked(outcome, settling):
            return order
        # Booked as a hold, it could only be let go, which is refused.
        return hold_taken(replace(settling, order=order), order.transaction(ours.id), outcome)
    order = in_review(settling, reason, outcome.reference)
    # More than we asked for is not ours to have asked; of less, the rest is owed still.
    less = outcome.amount.minor_units < ours.amount.minor_units
    if ours.kind is TransactionKind.VOID or (ours.kind is TransactionKind.REFUND and not less):
        return order
    return _as_it_was_done(settling, order, outcome)


def shown_with_another_amount(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """What a person accepted unseen was done, but with less than he was told, or more.

    So much is booked before what was refused is there again: else the sum that was accepted would
    be, and would go back of an order that has ended.
    """
    ours, order = settling.transaction, settling.order
    if _has_room_for_what_followed(order, ours, outcome):
        order = _as_it_was_done(settling, order, outcome)
    order = shown_after_all(replace(settling, order=order, transaction=order.transaction(ours.id)))
    shown = replace(settling, order=order, transaction=order.transaction(ours.id))
    return in_review(shown, f"{ANOTHER_AMOUNT}:{outcome.amount}")


def _has_room_for_what_followed(
    order: Order, ours: PaymentTransaction, outcome: Succeeded | Authorized
) -> bool:
    """Whether what was asked of the sum that was accepted could be asked of what is shown."""
    followed = [t for t in order.transactions if t.parent_id == ours.id]
    if any(t.kind not in _TAKES_BACK for t in followed):
        return False
    asked_back = ours.amount.minor_units - without_its_refusal(order, ours).left_of(ours)
    return asked_back <= outcome.amount.minor_units


def differs(transaction: PaymentTransaction) -> bool:
    """Whether a person has to decide about another amount than ours."""
    return (transaction.review or "").startswith(ANOTHER_AMOUNT)


def paid_without_us(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """All that there is of our payment is one that does not carry our mark: it ends with that.

    Open, it would be asked about for ever, and nobody could accept it or give it back.
    """
    ours = settling.transaction
    same = outcome.amount == ours.amount
    reason = ANOTHER_TRANSACTION if same else f"{ANOTHER_AMOUNT}:{outcome.amount}"
    if is_taken(settling.order, ours):
        # What was captured of it is on record already, and is a person's to decide about there.
        return in_review(settling, reason, ours.provider_reference or outcome.reference)
    order = in_review(settling, reason, outcome.reference)
    return _as_it_was_done(settling, order, outcome)


def _as_it_was_done(settling: Settling, order: Order, outcome: Succeeded | Authorized) -> Order:
    """What was really done is what a person decides about, and what can be given back."""
    doubtful = order.transaction(settling.transaction.id)
    if _can_be_booked(outcome, settling):
        doubtful = replace(doubtful, amount=outcome.amount)
    if doubtful.takes_money and isinstance(outcome, Authorized):
        kind, ends = TransactionKind.AUTHORIZATION, outcome.capture_before
        doubtful = replace(doubtful, kind=kind, capture_before=ends)
    elif doubtful.takes_money:
        doubtful = replace(doubtful, kind=TransactionKind.CHARGE, capture_before=None)
    return order.with_transaction(doubtful)


def _can_be_booked(outcome: Succeeded | Authorized, settling: Settling) -> bool:
    same_currency = outcome.amount.currency == settling.transaction.amount.currency
    # A movement of nothing is no movement: no store takes it.
    return same_currency and outcome.amount.minor_units > 0


def doubted(settling: Settling, reason: str) -> Order:
    """The transaction goes on as it is, and a person looks at what does not belong to it."""
    if settling.transaction.review is not None:
        return settling.order
    doubtful = replace(settling.transaction, review=reason)
    return settling.order.with_transaction(doubtful).with_news(
        PutInReview(doubtful.id, reason), settling.at
    )


def in_review(settling: Settling, reason: str, reference: str | None = None) -> Order:
    """The movement is over, and a person looks at it."""
    # One that was given up has its answer now: told again, it would pass for the payment we asked.
    if settling.transaction.is_undecided:
        doubtful = replace(
            settling.transaction.finished(
                TransactionStatus.IN_REVIEW, reference=reference, reason=reason
            ),
            review=reason,
        )
    elif (
        settling.transaction.status is TransactionStatus.IN_REVIEW
        or settling.transaction.review == reason
    ):
        return settling.order
    else:
        doubtful = replace(settling.transaction, review=reason)
    return settling.order.with_transaction(doubtful).with_news(
        PutInReview(doubtful.id, reason), settling.at
    )
