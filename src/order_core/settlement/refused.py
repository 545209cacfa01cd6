"""The provider says no: to a payment, a capture, a refund or a void."""

from datetime import timedelta
from typing import Final

from order_core.events import (
    AuthorizationEnded,
    CaptureDeclined,
    PaymentDeclined,
    PutInReview,
    ReversalDeclined,
)
from order_core.giving_back import letting_go_what_is_spare, refunding, voiding
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.money import Money
from order_core.order import Order
from order_core.outcomes import Answer, Declined, Report
from order_core.payment import (
    RETURNED,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.settlement.consequences import concluded
from order_core.settlement.refund_undone import refund_returned
from order_core.settlement.refused_after_all import (
    ended_after_all,
    held_after_all,
    refused_after_all,
)
from order_core.settlement.second_look import second_look_done
from order_core.settlement.settling import Settling

MAX_REFUSALS: Final = 3
"""So often the same refusal of a refund or void is met with a new attempt, under a new key;
then a person decides."""

MAX_ABSENCES: Final = 100
"""So many attempts that never reached the provider: some days of an outage."""

FIRST_REFUND_PAUSE: Final = timedelta(minutes=10)
"""Before the attempt that follows a refusal; twice as long before the one after it."""

ALREADY_USED: Final = "payment_already_used"
"""Why a success is a refusal here: the payment is another order's."""

REVERSAL_REFUSED: Final = "reversal_refused"
"""Why a refund or void is in review that is not asked for again; what was refused, follows."""

NO_PAUSE: Final = timedelta(0)


def declined(settling: Settling, outcome: Declined, fact: Answer | Report) -> Order:
    """A no; the last word, unless the word before says otherwise."""
    if settling.transaction.status is TransactionStatus.AUTHORIZED:
        return _hold_ended(settling, outcome, fact)
    returned = (
        settling.transaction.kind is TransactionKind.REFUND
        and settling.transaction.status is TransactionStatus.SUCCEEDED
    )
    if returned and isinstance(fact, Report):
        return _refund_undone(settling, outcome, fact)
    if _may_be_another_object(settling, outcome, fact):
        if not settling.transaction.is_open:
            # It was asked about in vain and is a person's to decide, or is looked at once more.
            return settling.order
        return settling.order.with_transaction(replace(settling.transaction, attend_at=settling.at))
    if isinstance(fact, Report) and _is_refund_in_doubt(settling.transaction, outcome):
        return _refund_failed_after_all(settling, outcome)
    if not settling.transaction.is_undecided:
        return _after_the_last_word(settling, outcome, fact)
    if isinstance(fact, Report) and fact.returned_as:
        # Its making may be told after this, by another name: it came back all the same.
        outcome = replace(outcome, reason=f"{RETURNED}{outcome.reason}")
    done = settling.transaction.finished(
        TransactionStatus.DECLINED,
        reference=outcome.reference,
        reason=outcome.reason,
        retryable=outcome.retryable,
    )
    if done.kind is TransactionKind.CAPTURE:
        return capture_refused(settling, done, outcome.reason)
    if not done.takes_money:
        return reversal_refused(settling, done, outcome.reason)
    order = settling.order.with_transaction(done).with_news(
        PaymentDeclined(done.id, outcome.reason), settling.at
    )
    used = outcome.reason == ALREADY_USED
    return concluded(
        settling, order, done, MoneyEvent.ALREADY_USED if used else MoneyEvent.DECLINED
    )


def _refund_undone(settling: Settling, outcome: Declined, fact: Report) -> Order:
    # A late echo, under a key that the provider had forgotten, is refused as an object of
    # its own: the refund that was done is none the worse for it. One that a person accepted
    # unseen is what was refused: made under another name, it stands beside that.
    known = settling.transaction.provider_reference
    if known is not None and outcome.reference not in {None, known}:
        return settling.order
    if known is None and outcome.reference:
        settling = _named(settling, outcome.reference)
    because = f"{RETURNED}{outcome.reason}"
    # Of one without a name, the return's tells it from that of another of the same sum.
    return refund_returned(settling, settling.transaction, because, named=fact.returned_as)


def _named(settling: Settling, reference: str) -> Settling:
    named = replace(settling.transaction, provider_reference=reference)
    return replace(settling, order=settling.order.with_transaction(named), transaction=named)


def _after_the_last_word(settling: Settling, outcome: Declined, fact: Answer | Report) -> Order:
    if settling.transaction.is_taken_unseen and outcome.reason != ALREADY_USED:
        return refused_after_all(settling, outcome)
    hold = settling.transaction.kind is TransactionKind.AUTHORIZATION
    # The echo of a request says nothing about what became of it.
    if hold and isinstance(fact, Report) and outcome.reason != ALREADY_USED:
        order = ended_after_all(settling, outcome.reason)
        return second_look_done(settling, order)
    if settling.transaction.kind is TransactionKind.VOID and settling.transaction.is_done_unseen:
        return held_after_all(settling, outcome)
    # The table ignores it; at most it was the second look.
    return second_look_done(settling, settling.order)


def _is_refund_in_doubt(ours: PaymentTransaction, outcome: Declined) -> bool:
    """Whether it is the very refund that we called dead, or that did another sum than asked."""
    known = ours.provider_reference
    same = known is not None and outcome.reference in {None, known}
    doubtful = ours.status is TransactionStatus.IN_REVIEW and not ours.is_given_up
    dead = ours.status is TransactionStatus.FAILED
    return ours.kind is TransactionKind.REFUND and same and (doubtful or dead)


def _refund_failed_after_all(settling: Settling, outcome: Declined) -> Order:
    # Its making, told late, must find it refused: it would pass for money that is back otherwise.
    ours = settling.transaction
    refused = ours.finished(TransactionStatus.DECLINED, reason=ours.reason)
    if ours.status is TransactionStatus.FAILED:
        # Whatever was asked for in its place goes on.
        return settling.order.with_transaction(replace(refused, review=ours.review))
    doubt = f"{RETURNED}{outcome.reason}"
    order = settling.order.with_transaction(replace(refused, review=doubt))
    order = order.with_news(ReversalDeclined(ours.id, outcome.reason, again=False), settling.at)
    return order.with_news(PutInReview(ours.id, doubt), settling.at)


def _may_be_another_object(settling: Settling, outcome: Declined, fact: Answer | Report) -> bool:
    """Whether an event tells of an object that is not certainly the one we wait for.

    A failed try carries our mark, too. If the provider can be asked, its look-up decides; if it
    has named ours to us, what has another name is another object.
    """
    ours = settling.transaction
    told = isinstance(fact, Report) and fact.was_told
    can_ask = ours.kind in settling.terms.gateway.looks_up
    can_tell = ours.takes_money and (can_ask or ours.provider_reference is not None)
    return told and can_tell and outcome.reference not in {None, ours.provider_reference}


def _hold_ended(settling: Settling, outcome: Declined, fact: Answer | Report) -> Order:
    if isinstance(fact, Answer):
        # The echo of a request; what became of the hold is for a look-up to show.
        return settling.order
    if outcome.reason == ALREADY_USED:
        # What was told is another order's payment; it says nothing about this hold.
        return settling.order
    ours = settling.transaction.provider_reference
    can_ask = settling.transaction.kind in settling.terms.gateway.looks_up
    unseen = ours is None and not can_ask
    if outcome.reference not in {None, ours} and not unseen:
        # Another object of the provider's, a try that failed, says nothing about this one.
        return settling.order
    # By the name of what has ended, its beginning is known, should that be told after it.
    name = fact.of_payment if unseen else None
    ended = settling.transaction.finished(
        TransactionStatus.VOIDED, reference=name, reason=outcome.reason
    )
    news = AuthorizationEnded(ended.id, outcome.reason)
    order = settling.order.with_transaction(ended).with_news(news, settling.at)
    return concluded(settling, order, ended, MoneyEvent.HOLD_ENDED)


def capture_refused(settling: Settling, refused: PaymentTransaction, reason: str) -> Order:
    """The money was not taken; it may still be held."""
    order = settling.order.with_transaction(refused)
    order = order.with_news(CaptureDeclined(refused.id, reason), settling.at)
    held = order.transaction(refused.parent_id or "")
    if held.status is not TransactionStatus.AUTHORIZED:
        # What became of it is known, and a look at it would have no end.
        return order
    # The hold may be gone, which is why; until a look-up says so, the order stands.
    order = order.with_transaction(replace(held, attend_at=settling.at))
    return letting_go_what_is_spare(
        order, at=settling.at, new_id=settling.new_id, terms=settling.terms
    )


def reversal_refused(settling: Settling, refused: PaymentTransaction, reason: str) -> Order:
    """A refund or void that is still needed is asked for again, while that can help."""
    # A doubt about what is over and asked for anew is about nothing any more.
    refused = replace(refused, review=None)
    order = settling.order.with_transaction(refused)
    parent = order.transaction(refused.parent_id or "")
    refusals = sum(
        t.parent_id == parent.id and t.kind is refused.kind and t.reason == reason
        for t in order.transactions
        if t.origin is Origin.OURS
    )
    # Of what the provider has not named, nothing can leave: a person hears of it the first time.
    named = parent.provider_reference is not None
    needed = parent.is_live
    if refused.kind is TransactionKind.VOID:
        needed = order.wants(refused) if named else parent.is_held
    # What never arrived was not refused: it is asked for as long as the outage lasts.
    helps = refused.retryable or refused.status is TransactionStatus.FAILED
    void = refused.kind is TransactionKind.VOID
    # An order that ends goes on trying. While it stands, a person wanted the void, and hears
    # that it was refused.
    helps = helps or (void and order.lets_go)
    most = MAX_ABSENCES if refused.status is TransactionStatus.FAILED else MAX_REFUSALS
    nothing_left = not void and not order.left_of(parent)
    again = needed and helps and named and refusals < most and not nothing_left
    order = order.with_news(ReversalDeclined(refused.id, reason, again), settling.at)
    if not needed:
        # It was too late to void, and what became of the payment is known already.
        return order
    if nothing_left and (order.lets_go or not order.taken_back_of(parent)):
        # It went back another way, or goes back if the bank does not keep it.
        return order
    if not again:
        # Refused is refused: it reserves nothing, and no review makes it a success.
        doubt = f"{REVERSAL_REFUSED}:{reason}"
        order = order.with_transaction(replace(refused, review=doubt)).with_news(
            PutInReview(refused.id, doubt), settling.at
        )
        return _asked_about(settling, order, parent) if void else order
    if void and not order.lets_go:
        return voiding(order, parent, at=settling.at, new_id=settling.new_id, terms=settling.terms)
    if void:
        return order.with_transaction(replace(parent, attend_at=settling.at))
    # Somebody may have given back a part at the provider meanwhile.
    left = min(refused.amount.minor_units, order.left_of(parent))
    retried = refunding(
        order,
        parent,
        Money(left, refused.amount.currency),
        at=settling.at,
        new_id=settling.new_id,
        terms=settling.terms,
    )
    if retried is order:
        return order
    attempt = retried.transactions[-1]
    wait = FIRST_REFUND_PAUSE * 2 ** (refusals - 1) if refused.retryable else NO_PAUSE
    return retried.with_transaction(replace(attempt, attend_at=settling.at + wait))


def _asked_about(settling: Settling, order: Order, held: PaymentTransaction) -> Order:
    # "Too late" may mean that it was taken.
    if held.kind not in settling.terms.gateway.looks_up:
        return order
    return order.with_transaction(replace(held, attend_at=settling.at))
