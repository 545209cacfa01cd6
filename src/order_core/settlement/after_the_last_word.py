"""Money that moved although the last word on its movement was spoken."""

from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.order import Order
from order_core.outcomes import Authorized, Succeeded
from order_core.payment import (
    DEAD_STATUSES,
    RETURNED,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import decided_by
from order_core.settlement.consequences import concluded
from order_core.settlement.hold import hold_dated, hold_taken, is_captured
from order_core.settlement.refunded_beyond import is_of_more, refunded_beyond
from order_core.settlement.refused_after_all import shown_after_all, without_its_refusal
from order_core.settlement.review import shown_with_another_amount
from order_core.settlement.second_look import second_look_done
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked


def money_moved_after_the_last_word(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """A second debit, or a success after a proven no: a transaction of its own."""
    order, transaction = settling.order, settling.transaction
    if _is_unnamed(settling, outcome) or _is_shown_at_last(transaction, outcome):
        return _named_at_last(settling, outcome)
    if transaction.status is TransactionStatus.AUTHORIZED:
        if isinstance(outcome, Succeeded):
            # Ours, whose answer is on its way, or one that is known already.
            known = is_captured(order, transaction)
            return order if known else hold_taken(settling, transaction, outcome)
        if transaction.provider_reference == outcome.reference:
            return hold_dated(settling, outcome)
    if _has_ended_since(settling, outcome):
        return concluded(settling, order, transaction, MoneyEvent.HELD_BEFORE_ITS_END)
    if _failed_since(settling, outcome):
        return order
    if _is_refund_told_again(transaction, outcome):
        return refunded_beyond(settling, transaction, outcome)
    if _is_known(settling, outcome) or _holds_nothing(outcome):
        return second_look_done(settling, order)
    order = second_look_done(settling, order)
    if not transaction.takes_money:
        return _done_again(settling, order, outcome)
    # Whatever we had asked for: what was taken is money taken, and what is held, held.
    held = isinstance(outcome, Authorized)
    kind = TransactionKind.AUTHORIZATION if held else TransactionKind.CHARGE
    moved = unasked(settling, kind, outcome, parent=transaction)
    dead = transaction.status in DEAD_STATUSES
    event = MoneyEvent.PAID_AFTER_A_NO if dead else MoneyEvent.SECOND_DEBIT
    return concluded(settling, order.with_transaction(moved), moved, event)


def _has_ended_since(settling: Settling, outcome: Succeeded | Authorized) -> bool:
    # Only the very same payment: the same request under another reference is another hold.
    return (
        settling.transaction.status is TransactionStatus.VOIDED
        and settling.transaction.provider_reference == outcome.reference
        and isinstance(outcome, Authorized)
    )


def _failed_since(settling: Settling, outcome: Succeeded | Authorized) -> bool:
    # A refund that was on its way is done, and fails later; the words may come in any order.
    transaction = settling.transaction
    return (
        transaction.kind is TransactionKind.REFUND
        and transaction.status is TransactionStatus.DECLINED
        and (
            transaction.provider_reference == outcome.reference
            # It may have come back by another name than that of its making.
            or (transaction.reason or "").startswith(RETURNED)
        )
    )


def _is_refund_told_again(transaction: PaymentTransaction, outcome: Succeeded | Authorized) -> bool:
    done = transaction.status is TransactionStatus.SUCCEEDED
    same = transaction.provider_reference == outcome.reference
    return transaction.kind is TransactionKind.REFUND and done and same


def _is_unnamed(settling: Settling, outcome: Succeeded | Authorized) -> bool:
    transaction = settling.transaction
    held = transaction.status is TransactionStatus.AUTHORIZED
    same = transaction.amount == outcome.amount
    # A refund that has our mark is ours, whatever sum went back.
    ours = same or transaction.kind is TransactionKind.REFUND
    return (
        transaction.is_live
        and transaction.provider_reference is None
        and (ours or _can_be_booked_instead(settling, outcome))
        and held is isinstance(outcome, Authorized)
    )


def _can_be_booked_instead(settling: Settling, outcome: Succeeded | Authorized) -> bool:
    """Whether another amount than a person was told can stand in the place of what he accepted.

    Not if more was asked back of that, or taken back by the bank, and not of a hold that was to
    be taken: then what is shown is booked beside it, and goes back by itself if the order has
    ended. Put in its place it would be kept.
    """
    order, ours = settling.order, settling.transaction
    if outcome.amount.currency != ours.amount.currency:
        return False
    if not ours.took_money:
        taken = any(
            t.parent_id == ours.id and t.kind is not TransactionKind.VOID
            for t in order.transactions
        )
        return ours.takes_money and not taken and outcome.amount.minor_units > 0
    # Whatever was said of its refusal: it is shown, and is there again.
    asked_back = ours.amount.minor_units - without_its_refusal(order, ours).left_of(ours)
    return max(asked_back, 1) <= outcome.amount.minor_units


def _is_shown_at_last(transaction: PaymentTransaction, outcome: Succeeded | Authorized) -> bool:
    # What the provider has shown itself is not doubted because it declines another try. Only held,
    # it has not shown what the person accepted.
    same = transaction.provider_reference == outcome.reference
    return transaction.is_done_unseen and isinstance(outcome, Succeeded) and same


def _named_at_last(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """A person accepted it unseen; now we hear by which reference the provider knows it.

    Seen now: that another try of it is refused is no news any more.
    """
    named = replace(settling.transaction, provider_reference=outcome.reference, reason=None)
    if isinstance(outcome, Authorized):
        ends = outcome.capture_before
        attend_at = decided_by(ends, now=settling.at)
        named = replace(named, capture_before=ends, attend_at=attend_at)
    order = settling.order.with_transaction(named)
    for follower in order.transactions:
        # What may have run is not sent as anything else.
        unnamed = follower.parent_reference is None and not follower.may_have_run
        if follower.parent_id == named.id and unnamed:
            order = order.with_transaction(replace(follower, parent_reference=outcome.reference))
    settling = replace(settling, order=order, transaction=named)
    if outcome.amount == named.amount or named.kind is TransactionKind.VOID:
        return shown_after_all(settling)
    if is_of_more(named, outcome):
        return refunded_beyond(settling, named, outcome)
    return shown_with_another_amount(settling, outcome)


def _is_known(settling: Settling, outcome: Succeeded | Authorized) -> bool:
    transaction = settling.transaction
    return any(
        t.provider_reference == outcome.reference
        and t.status not in DEAD_STATUSES
        # Of a hold, its capture is told as well; what was to be held may have been taken.
        and (
            t.kind is transaction.kind
            or _captures(t, transaction)
            or (t.takes_money and transaction.takes_money)
        )
        for t in settling.order.transactions
    )


def _holds_nothing(outcome: Succeeded | Authorized) -> bool:
    # A card that was only looked at. No store takes a void of it, and no order with one could end.
    return isinstance(outcome, Authorized) and not outcome.amount.minor_units


def _captures(transaction: PaymentTransaction, hold: PaymentTransaction) -> bool:
    return transaction.kind is TransactionKind.CAPTURE and transaction.parent_id == hold.id


def _done_again(settling: Settling, order: Order, outcome: Succeeded | Authorized) -> Order:
    transaction = settling.transaction
    parent = order.transaction(transaction.parent_id or "")
    capture = transaction.kind is TransactionKind.CAPTURE
    if capture and isinstance(outcome, Succeeded) and not is_captured(order, parent):
        return hold_taken(replace(settling, order=order), parent, outcome)
    moved = unasked(settling, transaction.kind, outcome, parent=parent)
    return concluded(settling, order.with_transaction(moved), moved, MoneyEvent.DONE_AGAIN)
