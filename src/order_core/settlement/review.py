"""What contradicts us waits for a person."""

from typing import Final

from order_core.events import PutInReview
from order_core.immutable import replace
from order_core.order import Order
from order_core.outcomes import Authorized, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from order_core.settlement.hold import hold_taken
from order_core.settlement.settling import Settling

ANOTHER_TRANSACTION: Final = "names_another_transaction"
ANOTHER_AMOUNT: Final = "amount_differs"


def against_our_wish(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """Held instead of taken."""
    order = in_review(settling, "held_against_our_wish", outcome.reference)
    seen = order.transaction(settling.transaction.id)
    if not seen.takes_money:
        return order
    # What was really done is what a person decides about: money that is only held.
    ends = outcome.capture_before if isinstance(outcome, Authorized) else None
    return order.with_transaction(
        replace(seen, kind=TransactionKind.AUTHORIZATION, capture_before=ends)
    )


def another_amount(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """Our movement, with an amount that is not ours."""
    ours, reason = settling.transaction, f"{ANOTHER_AMOUNT}:{outcome.amount}"
    comparable = _can_be_booked(outcome, settling)
    if ours.kind is TransactionKind.AUTHORIZATION and isinstance(outcome, Succeeded):
        # What was captured of it may have a reference of its own.
        order = in_review(settling, reason, ours.provider_reference or outcome.reference)
        if not comparable:
            return order
        # Booked as a hold, it could only be let go, which is refused.
        return hold_taken(replace(settling, order=order), order.transaction(ours.id), outcome)
    order = in_review(settling, reason, outcome.reference)
    payment = ours.takes_money or ours.kind is TransactionKind.CAPTURE
    # More than we asked for is not ours to have asked; of less, the rest is owed still.
    less = outcome.amount.minor_units < ours.amount.minor_units
    in_part = ours.kind is TransactionKind.REFUND and less
    if not ((payment or in_part) and comparable):
        return order
    # What moved is what a person decides about, and what can be given back.
    doubtful = order.transaction(ours.id)
    ends = outcome.capture_before if isinstance(outcome, Authorized) else doubtful.capture_before
    return order.with_transaction(replace(doubtful, amount=outcome.amount, capture_before=ends))


def paid_without_us(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """All that there is of our payment is one that does not carry our mark: it ends with that.

    Open, it would be asked about for ever, and nobody could accept it or give it back.
    """
    ours = settling.transaction
    same = outcome.amount == ours.amount
    reason = ANOTHER_TRANSACTION if same else f"{ANOTHER_AMOUNT}:{outcome.amount}"
    order = in_review(settling, reason, outcome.reference)
    held = isinstance(outcome, Authorized)
    comparable = _can_be_booked(outcome, settling)
    # What was really done is what a person decides about.
    done = replace(
        order.transaction(ours.id),
        kind=TransactionKind.AUTHORIZATION if held else TransactionKind.CHARGE,
        amount=outcome.amount if comparable else ours.amount,
        capture_before=outcome.capture_before if isinstance(outcome, Authorized) else None,
    )
    return order.with_transaction(done)


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
