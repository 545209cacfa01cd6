"""A person decides about a payment that contradicts what we asked for."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from order_core.ended_by_review import dispute_lost, dispute_won, hold_ended
from order_core.errors import CannotReview
from order_core.events import OrderPlaced, PaymentFailed, Reviewed
from order_core.giving_back import giving_back, letting_go_what_is_spare, refunding, voiding
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import Declined
from order_core.payment import (
    DISPUTE_OPEN,
    REFUNDED_OTHERWISE,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import PaymentTerms, decided_by
from order_core.settlement.absent import never_happened
from order_core.settlement.consequences import concluded
from order_core.settlement.hold import is_taken, let_go
from order_core.settlement.refused_after_all import refused_after_all
from order_core.settlement.review import ANOTHER_TRANSACTION, differs
from order_core.settlement.settling import Settling
from order_core.text import checked_text

LONGEST_NOTE = 2000

_ENDED: Final = frozenset({OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED})
_LET_GO: Final = "voided"
_HOLD_BECOMES: Final = {
    TransactionKind.CAPTURE: TransactionStatus.SUCCEEDED,
    TransactionKind.VOID: TransactionStatus.VOIDED,
}


class ReviewDecision(StrEnum):
    """What a person can decide."""

    ACCEPT = "accept"
    """It is all right as it is: what the provider did counts."""
    REFUND = "refund"
    """What the provider took goes back."""
    REFUNDED_OTHERWISE = "refunded_otherwise"
    """A refund was refused, or came back, and its buyer has the money another way by now."""
    NEVER_HAPPENED = "never_happened"
    """The provider was looked at, and has no trace of what nobody could ask about, or only a
    payment that is another's."""
    HOLD_ENDED = "hold_ended"
    """A void was refused, or nobody knows what became of it: what it was to let go has ended at
    the provider, which did not tell."""
    DISPUTE_WON = "dispute_won"
    """An open dispute has ended for us, and the provider did not tell."""
    DISPUTE_LOST = "dispute_lost"
    """An open dispute has ended against us, and the provider did not tell."""
    NOTE = "note"
    """Nothing yet, but this should be known."""


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


def _never_happened(deciding: Settling) -> Order:
    transaction = deciding.transaction
    anothers = transaction.takes_money and transaction.review == ANOTHER_TRANSACTION
    if anothers and transaction.is_open:
        return _not_waited_for_any_more(deciding)
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


def _refunded_otherwise(deciding: Settling) -> Order:
    order, undone = deciding.order, deciding.transaction
    if not _is_undone_refund(order, undone):
        because = "it is no refund that was refused or came back"
        raise CannotReview(order.id, "no_undone_refund", because)
    if undone.is_given_up:
        undone = undone.finished(TransactionStatus.FAILED)
    order = order.with_transaction(replace(undone, reason=REFUNDED_OTHERWISE, review=None))
    if order.status not in _ENDED:
        return order
    # Made in part before it came back, it was asked for more than that.
    return _rest_given_back(deciding, order, _paid_by(order, undone))


def _without_what_is_back(deciding: Settling) -> Settling:
    """The same about what is left to give back; the rest of it stands beside that.

    Counted as given back otherwise, what went back through the provider, or was so counted before,
    would be back twice.
    """
    order, undone = deciding.order, deciding.transaction
    currency, left = undone.amount.currency, order.left_of(_paid_by(order, undone))
    is_back = undone.amount.minor_units - left
    if is_back <= 0:
        return deciding
    amount = Money(is_back, currency)
    beside = replace(undone, id=deciding.new_id(), amount=amount, review=None, attend_at=None)
    part = replace(undone, amount=Money(left, currency))
    return replace(deciding, order=order.with_transaction(beside), transaction=part)


def _is_undone_refund(order: Order, transaction: PaymentTransaction) -> bool:
    """Whether it is a refund that was not made, as far as is known, or the return of one."""
    if transaction.kind is TransactionKind.REFUND:
        return transaction.is_given_up or not transaction.is_live
    if transaction.kind is not TransactionKind.REVERSAL:
        return False
    return order.transaction(transaction.parent_id or "").kind is TransactionKind.REFUND


def _accepted(deciding: Settling) -> Order:
    if _is_settled_by_accepting(deciding.order, deciding.transaction):
        return _refunded_otherwise(_without_what_is_back(deciding))
    if _was_taken_by_another(deciding.order, deciding.transaction):
        # What the provider did is the other one.
        return never_happened(deciding)
    if end := _end_of_its_hold(deciding.order, deciding.transaction):
        taken = _as_the_provider_has_it(deciding)
        order = _hold_given_up(deciding, taken)
        # As if that were told now: his word is against the provider's.
        return refused_after_all(replace(deciding, order=order, transaction=taken), Declined(end))
    accepted = _accepted_as_it_is(deciding)
    if accepted.lets_go:
        return accepted
    return letting_go_what_is_spare(
        accepted, at=deciding.at, new_id=deciding.new_id, terms=deciding.terms
    )


def _accepted_as_it_is(deciding: Settling) -> Order:
    settled = _as_the_provider_has_it(deciding)
    order = _hold_given_up(deciding, settled)
    if _order_waits_for(deciding) and not settled.is_live:
        # It was held once, and let go by hand before anybody decided about it.
        order = order.with_news(PaymentFailed(settled.id, "voided"), deciding.at)
        return concluded(deciding, order, settled, MoneyEvent.VOIDED)
    if _order_waits_for(deciding):
        placed = OrderPlaced(settled.id, settled.provider_reference or "")
        return order.moved_to(OrderStatus.PENDING).with_news(placed, deciding.at)
    if order.lives_on(settled) and settled.attend_at is None:
        attend_at = decided_by(settled.capture_before, now=deciding.at)
        order = order.with_transaction(replace(settled, attend_at=attend_at))
    in_doubt = deciding.transaction.status is TransactionStatus.IN_REVIEW
    owes = in_doubt or _is_shown_otherwise(order, deciding.transaction)
    if owes and order.status in _ENDED:
        return _owed_by_an_ended(deciding, order, settled)
    if settled.kind is TransactionKind.VOID and not settled.is_live and order.lets_go:
        # It was refused, and what it was to let go may stand still.
        held = order.transaction(settled.parent_id or "")
        if not held.is_held:
            return order
        return order.with_transaction(replace(held, attend_at=deciding.at))
    return order


def _was_taken_by_another(order: Order, capture: PaymentTransaction) -> bool:
    """Whether nobody has seen this capture, and others leave no room for it in its hold."""
    if capture.kind is not TransactionKind.CAPTURE or not capture.is_given_up:
        return False
    others = [
        t.amount.minor_units
        for t in order.payments
        if t.kind is capture.kind and t.parent_id == capture.parent_id
    ]
    hold = order.transaction(capture.parent_id or "")
    return bool(others) and sum(others) + capture.amount.minor_units > hold.amount.minor_units


def _end_of_its_hold(order: Order, capture: PaymentTransaction) -> str | None:
    """Why the hold ended, or was let go, of a capture that nobody has seen; None if it was not."""
    if capture.kind is not TransactionKind.CAPTURE or not capture.is_given_up:
        return None
    hold = order.transaction(capture.parent_id or "")
    if hold.status is TransactionStatus.VOIDED:
        return hold.reason or _LET_GO
    let_go = any(
        (t.kind, t.parent_id, t.status)
        == (TransactionKind.VOID, hold.id, TransactionStatus.SUCCEEDED)
        for t in order.transactions
    )
    return _LET_GO if let_go else None


def _is_settled_by_accepting(order: Order, undone: PaymentTransaction) -> bool:
    """Whether it is all right that an order which ended gives this back to nobody any more.

    Then its buyer must have it otherwise: the next payment that goes back would take it along.
    """
    in_doubt = undone.status is TransactionStatus.IN_REVIEW
    if in_doubt or order.status not in _ENDED or not _is_undone_refund(order, undone):
        return False
    # If nothing is left, it went back through the provider meanwhile, or is about to.
    return order.left_of(_paid_by(order, undone)) > 0


def _owed_by_an_ended(deciding: Settling, order: Order, settled: PaymentTransaction) -> Order:
    """It was ours after all, and an order that ended has no right to it."""
    at, new_id, terms = deciding.at, deciding.new_id, deciding.terms
    if settled.is_held:
        return voiding(order, settled, at=at, new_id=new_id, terms=terms)
    if settled.kind in {TransactionKind.CHARGE, TransactionKind.CAPTURE}:
        return refunding(order, settled, at=at, new_id=new_id, terms=terms)
    if settled.kind is TransactionKind.REFUND and differs(deciding.transaction):
        # It was made in part, and nobody else asks for the rest.
        return _rest_given_back(deciding, order, order.transaction(settled.parent_id or ""))
    return order


def _is_shown_otherwise(order: Order, accepted: PaymentTransaction) -> bool:
    """Whether the provider showed another sum than what was accepted, and asked back, of it.

    A refund of it that was refused is decided about by itself.
    """
    refused = any(t.parent_id == accepted.id and t.review for t in order.transactions)
    refund = accepted.kind is TransactionKind.REFUND and accepted.origin is Origin.OURS
    return differs(accepted) and (refund or (accepted.took_money and not refused))


def _rest_given_back(deciding: Settling, order: Order, paid: PaymentTransaction) -> Order:
    """The order with a refund of what is left of a payment, and decided about nowhere else."""
    in_doubt = sum(
        t.amount.minor_units
        for t in order.transactions
        if t.review
        and _is_undone_refund(order, t)
        and _paid_by(order, t).id == paid.id
        # What was given up reserves its sum.
        and not t.is_given_up
    )
    rest = Money(max(order.left_of(paid) - in_doubt, 0), paid.amount.currency)
    at, new_id, terms = deciding.at, deciding.new_id, deciding.terms
    return refunding(order, paid, rest, at=at, new_id=new_id, terms=terms)


def _refunded(deciding: Settling) -> Order:
    order, at, new_id, terms = deciding.order, deciding.at, deciding.new_id, deciding.terms
    if deciding.transaction.is_open:
        raise CannotReview(order.id, "still_open", "this transaction has no outcome yet")
    if order.lives_on(deciding.transaction):
        raise CannotReview(order.id, "order_lives_on_it", "cancel the order to let its hold go")
    if order.may_be_taken(deciding.transaction):
        # No void would be recorded, and the review would end as if the hold had been let go.
        raise CannotReview(order.id, "capture_in_review", "decide about its capture first")
    settled = _as_the_provider_has_it(deciding)
    if settled.kind is TransactionKind.REFUND and settled.is_live:
        # To ask for it again would be to give it back twice.
        because = "this refund was not refused: accept it, or say that it never happened"
        raise CannotReview(order.id, "not_refused", because)
    order = _hold_given_up(deciding, settled)
    waiting = _order_waits_for(deciding)
    if waiting:
        failed = PaymentFailed(settled.id, "refunded_by_review")
        order = order.moved_to(OrderStatus.PAYMENT_FAILED).with_news(failed, at)
    if waiting and settled.kind is TransactionKind.AUTHORIZATION:
        return giving_back(order, at=at, new_id=new_id, terms=terms)
    if settled.is_held:
        return voiding(order, settled, at=at, new_id=new_id, terms=terms)
    owed = _owed_for(order, settled)
    part = None if order.status in _ENDED else _part_of(order, settled, owed)
    decided = refunding(order, owed, part, at=at, new_id=new_id, terms=terms)
    if waiting:
        # An order that was never paid fails although its buyer has got everything already, and
        # whatever else was accepted of it meanwhile has no order to pay for any more.
        return giving_back(decided, at=at, new_id=new_id, terms=terms)
    if decided is order:
        # Without a refund the review would end as if the money had gone back.
        because = "nothing is left of its payment to give back"
        raise CannotReview(order.id, "nothing_to_refund", because)
    return decided


_DONE: Final[Mapping[ReviewDecision, Callable[[Settling], Order]]] = {
    ReviewDecision.ACCEPT: _accepted,
    ReviewDecision.REFUND: _refunded,
    ReviewDecision.REFUNDED_OTHERWISE: _refunded_otherwise,
    ReviewDecision.NEVER_HAPPENED: _never_happened,
    ReviewDecision.HOLD_ENDED: hold_ended,
    ReviewDecision.DISPUTE_WON: dispute_won,
    ReviewDecision.DISPUTE_LOST: dispute_lost,
    ReviewDecision.NOTE: _noted,
}


def _order_waits_for(deciding: Settling) -> bool:
    in_doubt = deciding.transaction.status is TransactionStatus.IN_REVIEW
    waits = deciding.order.status is OrderStatus.AWAITING_PAYMENT
    return in_doubt and waits and deciding.transaction.takes_money


def _part_of(order: Order, settled: PaymentTransaction, owed: PaymentTransaction) -> Money | None:
    """What a refund that was refused, or came back, was to give back; None if it was none."""
    refund = settled
    if settled.kind is TransactionKind.REVERSAL and settled.parent_id:
        refund = order.transaction(settled.parent_id)
    if refund.kind is not TransactionKind.REFUND:
        return None
    left = min(settled.amount.minor_units, order.left_of(owed))
    return Money(left, settled.amount.currency)


def _owed_for(order: Order, transaction: PaymentTransaction) -> PaymentTransaction:
    """The payment that a refund would give back: the transaction itself, or what it belongs to."""
    owed = _paid_by(order, transaction)
    took = owed.kind in {TransactionKind.CHARGE, TransactionKind.CAPTURE}
    taken = took and owed.status is TransactionStatus.SUCCEEDED
    if not taken or not owed.provider_reference:
        raise CannotReview(order.id, "nothing_to_refund", "this transaction took no money")
    if order.is_disputed(owed):
        raise CannotReview(order.id, DISPUTE_OPEN, "the bank has not decided its dispute yet")
    return owed


def _paid_by(order: Order, transaction: PaymentTransaction) -> PaymentTransaction:
    """What took the money that a refund, a dispute or a return is about."""
    paid = transaction
    while paid.kind in {TransactionKind.REFUND, TransactionKind.REVERSAL} and paid.parent_id:
        paid = order.transaction(paid.parent_id)
    return paid


def _hold_given_up(deciding: Settling, settled: PaymentTransaction) -> Order:
    """The order with `settled` in it. What was captured, or let go, is held no longer."""
    order = deciding.order.with_transaction(settled)
    if settled.kind not in _HOLD_BECOMES or settled.parent_id is None or not settled.is_live:
        return order
    hold = order.transaction(settled.parent_id)
    void = settled.kind is TransactionKind.VOID
    if not (hold.is_held if void else hold.status is TransactionStatus.AUTHORIZED):
        return order
    order = order.with_transaction(hold.finished(_HOLD_BECOMES[settled.kind]))
    if void and not hold.is_beside_ours:
        return let_go(deciding, order, settled)
    return order


def _was_let_go(order: Order, hold: PaymentTransaction) -> bool:
    """Whether a void of the hold is on record as done, and nobody doubts that."""
    return any(
        t.kind is TransactionKind.VOID
        and t.parent_id == hold.id
        and t.status is TransactionStatus.SUCCEEDED
        and not t.review
        for t in order.transactions
    )


def _as_the_provider_has_it(deciding: Settling) -> PaymentTransaction:
    transaction = deciding.transaction
    accepted = replace(transaction, review=None)
    if transaction.status is not TransactionStatus.IN_REVIEW:
        return accepted
    if transaction.kind is not TransactionKind.AUTHORIZATION:
        return replace(accepted, status=TransactionStatus.SUCCEEDED)
    if is_taken(deciding.order, transaction):
        return replace(accepted, status=TransactionStatus.SUCCEEDED)
    if _was_let_go(deciding.order, transaction):
        return replace(accepted, status=TransactionStatus.VOIDED)
    attend_at = decided_by(transaction.capture_before, now=deciding.at)
    return replace(accepted, status=TransactionStatus.AUTHORIZED, attend_at=attend_at)
