"""What a fact about a movement of money does to its order.

Results of calls, look-ups and webhooks all come through `settled`. A fact that arrives
twice, late or out of order does no harm: what is known already changes nothing, and
what contradicts a final word is stored beside it, never over it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from order_core.events import (
    AuthorizationEnded,
    BuyerActionRequired,
    CaptureDeclined,
    LatePaymentReceived,
    OrderPlaced,
    OutcomeBecameUnknown,
    PaymentCaptured,
    PaymentDeclined,
    PaymentFailed,
    PaymentPending,
    PaymentRefunded,
    PaymentVoided,
    ProcessingBegan,
    PutInReview,
    ReversalDeclined,
)
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import (
    Absence,
    ActionRequired,
    Answer,
    Authorized,
    Continue,
    Declined,
    Fact,
    InProgress,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Report,
    Reversed,
    Succeeded,
)
from order_core.payment import (
    DEAD_STATUSES,
    NO_LOOK_UP,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import CAPTURE_MARGIN, PaymentTerms
from order_core.processing import LATE
from order_core.provider_moves import moved_by_provider

MAX_REFUSALS: Final = 3
"""So often the same refusal of a refund or void is met with a new attempt, under a new key;
then a person decides."""

MAX_ABSENCES: Final = 100
"""So many attempts that never reached the provider: some days of an outage."""

FIRST_REFUND_PAUSE: Final = timedelta(minutes=10)
"""Before the attempt that follows a refusal; twice as long before the one after it."""

NO_PAUSE: Final = timedelta(0)

_SUCCESS_OF_KIND: Final = {
    TransactionKind.CHARGE: Succeeded,
    TransactionKind.AUTHORIZATION: Authorized,
    TransactionKind.CAPTURE: Succeeded,
    TransactionKind.VOID: Succeeded,
    TransactionKind.REFUND: Succeeded,
}


def settled(
    order: Order,
    transaction_id: str,
    fact: Fact,
    *,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms,
) -> Order:
    """The order after `fact` about one of its transactions; the same order if it is no news.

    Raises:
        KeyError: the order has no such transaction.
    """
    transaction = order.transaction(transaction_id)
    settling = _Settling(order, transaction, at, new_id, terms)
    if isinstance(fact, Absence):
        return settling.absent(fact)
    if isinstance(fact, Answer) and fact.step != transaction.step:
        # An answer to an earlier step; that step's result is in the record already.
        return order
    return settling.answered(believed(transaction, fact), fact)


def believed(transaction: PaymentTransaction, fact: Answer | Report) -> Outcome:
    """The outcome, as far as the way it reached us allows to believe it.

    A decline that answers one of several sends of a key may be the provider refusing
    the echo of a send that succeeded ("already in progress", "token already used").
    """
    outcome = fact.outcome
    if isinstance(fact, Answer) and isinstance(outcome, Declined):
        first_that_may_have_run = transaction.never_ran + 1
        only_send = fact.send == first_that_may_have_run >= transaction.sends
        if not only_send:
            return OutcomeUnknown(f"declined_after_several_sends:{outcome.reason}")
    return outcome


@dataclass(frozen=True, slots=True)
class _Settling:
    order: Order
    transaction: PaymentTransaction
    at: datetime
    new_id: Callable[[], str]
    terms: PaymentTerms

    def answered(self, outcome: Outcome, fact: Answer | Report) -> Order:
        match outcome:
            case Succeeded() | Authorized():
                return self.money_moved(outcome)
            case Declined():
                return self.declined(outcome, fact)
            case ActionRequired() | Pending():
                return self.waits(outcome)
            case Continue(reference):
                return self.next_step(reference, fact)
            case NotSent() | RateLimited():
                return self.did_not_run(fact)
            case InProgress():
                return self.order
            case OutcomeUnknown(because):
                return self.unknown(because)

    # The money moved, or is held ----------------------------------------------------------

    def money_moved(self, outcome: Succeeded | Authorized) -> Order:
        transaction = self.transaction
        if outcome.transaction_id != transaction.id:
            return self.doubted("names_another_transaction")
        if not transaction.is_undecided:
            return self.money_moved_after_the_last_word(outcome)
        if outcome.amount != transaction.amount:
            return self.another_amount(outcome)
        if not isinstance(outcome, _SUCCESS_OF_KIND[transaction.kind]):
            return self.against_our_wish(outcome)
        if transaction.takes_money:
            return self.paid(outcome)
        if transaction.kind is TransactionKind.VOID:
            return self.voided(outcome)
        if transaction.kind is TransactionKind.CAPTURE:
            return self.captured(outcome)
        done = transaction.finished(TransactionStatus.SUCCEEDED, reference=outcome.reference)
        return self.order.with_transaction(done).with_news(
            PaymentRefunded(done.id, str(done.amount), outcome.reference), self.at
        )

    def paid(self, outcome: Succeeded | Authorized) -> Order:
        if isinstance(outcome, Authorized):
            held = self.transaction.finished(
                TransactionStatus.AUTHORIZED, reference=outcome.reference
            )
            ends = outcome.capture_before
            done = replace(
                held,
                capture_before=ends,
                attend_at=self.decided_by(ends),
            )
        else:
            done = self.transaction.finished(
                TransactionStatus.SUCCEEDED, reference=outcome.reference
            )
        order = self.order.with_transaction(done)
        if order.status is OrderStatus.AWAITING_PAYMENT:
            placed = OrderPlaced(done.id, outcome.reference)
            return order.moved_to(OrderStatus.PENDING).with_news(placed, self.at)
        if order.status in {OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED}:
            return self.late(order, done)
        return order

    def decided_by(self, hold_ends: datetime | None) -> datetime:
        # Somebody must decide before the hold ends by itself. If nobody says when that is,
        # a look-up may.
        return max(hold_ends - CAPTURE_MARGIN, self.at) if hold_ends else self.at

    def hold_dated(self, outcome: Authorized) -> Order:
        """The end of a hold, told later than the hold itself."""
        ends = outcome.capture_before
        if self.transaction.capture_before is not None or ends is None:
            return self.order
        dated = replace(self.transaction, capture_before=ends, attend_at=self.decided_by(ends))
        return self.order.with_transaction(dated)

    def hold_taken(self, outcome: Succeeded) -> Order:
        """Somebody captured at the provider what we only held."""
        hold = self.transaction
        if any(
            t.kind is TransactionKind.CAPTURE and t.parent_id == hold.id and t.is_live
            for t in self.order.transactions
        ):
            # Ours, whose answer is on its way, or one that is known already.
            return self.order
        unwanted = self.order.status in {OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED}
        capture = self.fact(
            TransactionKind.CAPTURE, outcome, review=None if unwanted else "not_asked_for"
        )
        order = self.order.with_transaction(hold.finished(TransactionStatus.SUCCEEDED))
        order = order.with_transaction(capture)
        if unwanted:
            return self.late(order, capture)
        return order.with_news(PutInReview(capture.id, "not_asked_for"), self.at)

    def captured(self, outcome: Succeeded | Authorized) -> Order:
        capture = self.transaction.finished(
            TransactionStatus.SUCCEEDED, reference=outcome.reference
        )
        news = PaymentCaptured(capture.id, str(capture.amount), outcome.reference)
        order = self.order.with_transaction(capture).with_news(news, self.at)
        held = order.transaction(capture.parent_id or "")
        if held.status is TransactionStatus.AUTHORIZED:
            # Taken now, and held no longer: nobody may void it.
            order = order.with_transaction(held.finished(TransactionStatus.SUCCEEDED))
        if order.status is OrderStatus.PENDING and self.transaction.reason != LATE:
            began = ProcessingBegan("capture")
            return order.moved_to(OrderStatus.PROCESSING).with_news(began, self.at)
        if order.status in {OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED}:
            return self.late(order, capture)
        return order

    def late(self, order: Order, paid: PaymentTransaction) -> Order:
        late = LatePaymentReceived(paid.id, str(paid.amount))
        return order.with_news(late, self.at).giving_back(
            at=self.at, new_id=self.new_id, terms=self.terms
        )

    def money_moved_after_the_last_word(self, outcome: Succeeded | Authorized) -> Order:
        """A second debit, or a success after a proven no: a transaction of its own."""
        known = {
            (transaction.kind, transaction.provider_reference)
            for transaction in self.order.transactions
            if transaction.status not in DEAD_STATUSES
        }
        transaction = self.transaction
        if transaction.status is TransactionStatus.AUTHORIZED:
            if isinstance(outcome, Succeeded):
                return self.hold_taken(outcome)
            return self.hold_dated(outcome)
        if (transaction.kind, outcome.reference) in known:
            return self.second_look_done(self.order)
        no_longer_wanted = self.order.status in {OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED}
        goes_back = transaction.takes_money and no_longer_wanted
        # An authorization that was taken instead of held is money taken.
        taken = isinstance(outcome, Succeeded) and transaction.takes_money
        fact = self.fact(
            TransactionKind.CHARGE if taken else transaction.kind,
            outcome,
            review=None if goes_back else "not_asked_for",
        )
        order = self.second_look_done(self.order).with_transaction(fact)
        if goes_back:
            return self.late(order, fact)
        return order.with_news(PutInReview(fact.id, "not_asked_for"), self.at)

    def fact(
        self, kind: TransactionKind, outcome: Succeeded | Authorized, *, review: str | None
    ) -> PaymentTransaction:
        """What the provider did about this transaction without being asked, as one of its own."""
        about = self.transaction
        taken = isinstance(outcome, Succeeded)
        return PaymentTransaction(
            id=self.new_id(),
            order_id=self.order.id,
            customer_id=self.order.customer_id,
            kind=kind,
            amount=outcome.amount,
            provider=about.provider,
            account=about.account,
            installation=about.installation,
            request_version=about.request_version,
            recorded_at=self.at,
            send_until=self.at,
            horizon=about.horizon,
            status=TransactionStatus.SUCCEEDED if taken else TransactionStatus.AUTHORIZED,
            origin=Origin.PROVIDER,
            parent_id=about.id,
            parent_reference=about.parent_reference,
            provider_reference=outcome.reference,
            review=review,
        )

    def voided(self, outcome: Succeeded | Authorized) -> Order:
        done = self.transaction.finished(TransactionStatus.SUCCEEDED, reference=outcome.reference)
        order = self.order.with_transaction(done).with_news(PaymentVoided(done.id), self.at)
        parent = order.transaction(done.parent_id or "")
        if parent.status is TransactionStatus.SUCCEEDED:
            # The provider says taken and let go at once; only a person can tell which.
            return self.in_review("voided_after_success")
        if not parent.is_live:
            return order
        order = order.with_transaction(parent.finished(TransactionStatus.VOIDED, reason="voided"))
        if order.status is OrderStatus.AWAITING_PAYMENT:
            expired = PaymentFailed(parent.id, "expired")
            return order.moved_to(OrderStatus.PAYMENT_FAILED).with_news(expired, self.at)
        return order

    # No -----------------------------------------------------------------------------------

    def declined(self, outcome: Declined, fact: Answer | Report) -> Order:
        if self.transaction.status is TransactionStatus.AUTHORIZED:
            return self.hold_ended(outcome, fact)
        returned = (
            self.transaction.kind is TransactionKind.REFUND
            and self.transaction.status is TransactionStatus.SUCCEEDED
        )
        if returned and isinstance(fact, Report):
            return self.refund_returned(outcome)
        if not self.transaction.is_undecided:
            return self.second_look_done(self.order)
        done = self.transaction.finished(
            TransactionStatus.DECLINED,
            reference=outcome.reference,
            reason=outcome.reason,
            retryable=outcome.retryable,
        )
        if done.kind is TransactionKind.CAPTURE:
            return self.capture_refused(done, outcome.reason)
        if not done.takes_money:
            return self.reversal_refused(done, outcome.reason)
        order = self.order.with_transaction(done).with_news(
            PaymentDeclined(done.id, outcome.reason), self.at
        )
        if order.status is OrderStatus.AWAITING_PAYMENT:
            return order.moved_to(OrderStatus.PAYMENT_FAILED)
        return order

    def refund_returned(self, outcome: Declined) -> Order:
        """A refund that had succeeded came back: the money is ours again, and still owed."""
        refund = self.transaction
        back = Reversed(
            refund.provider_reference or refund.id,
            refund.amount,
            f"refund_returned:{outcome.reason}",
        )
        return moved_by_provider(
            self.order, refund, TransactionKind.REVERSAL, back, at=self.at, new_id=self.new_id
        )

    def hold_ended(self, outcome: Declined, fact: Answer | Report) -> Order:
        if isinstance(fact, Answer):
            # The echo of a request; what became of the hold is for a look-up to show.
            return self.order
        ended = self.transaction.finished(TransactionStatus.VOIDED, reason=outcome.reason)
        news = AuthorizationEnded(ended.id, outcome.reason)
        return self.order.with_transaction(ended).with_news(news, self.at)

    def capture_refused(self, refused: PaymentTransaction, reason: str) -> Order:
        order = self.order.with_transaction(refused)
        order = order.with_news(CaptureDeclined(refused.id, reason), self.at)
        held = order.transaction(refused.parent_id or "")
        # The hold may be gone, which is why; until a look-up says so, the order stands.
        return order.with_transaction(replace(held, attend_at=self.at))

    def reversal_refused(self, refused: PaymentTransaction, reason: str) -> Order:
        order = self.order.with_transaction(refused)
        parent = order.transaction(refused.parent_id or "")
        refusals = sum(
            t.parent_id == parent.id and t.kind is refused.kind and t.reason == reason
            for t in order.transactions
        )
        needed = order.wants(refused) if refused.kind is TransactionKind.VOID else parent.is_live
        # What never arrived was not refused: it is asked for as long as the outage lasts.
        helps = refused.retryable or refused.status is TransactionStatus.FAILED
        helps = helps or refused.kind is TransactionKind.VOID
        most = MAX_ABSENCES if refused.status is TransactionStatus.FAILED else MAX_REFUSALS
        again = needed and helps and refusals < most
        order = order.with_news(ReversalDeclined(refused.id, reason, again), self.at)
        if not needed:
            # It was too late to void, and what became of the payment is known already.
            return order
        if not again:
            # Refused is refused: it reserves nothing, and no review makes it a success.
            doubt = f"reversal_refused:{reason}"
            return order.with_transaction(replace(refused, review=doubt)).with_news(
                PutInReview(refused.id, doubt), self.at
            )
        if refused.kind is TransactionKind.VOID:
            # "Too late" may mean that the buyer has paid: ask before another attempt.
            return order.with_transaction(replace(parent, attend_at=self.at))
        # Somebody may have given back a part at the provider meanwhile.
        left = min(refused.amount.minor_units, order.left_of(parent))
        retried = order.refunding(
            parent,
            Money(left, refused.amount.currency),
            at=self.at,
            new_id=self.new_id,
            terms=self.terms,
        )
        if retried is order:
            return order
        attempt = retried.transactions[-1]
        wait = FIRST_REFUND_PAUSE * 2 ** (refusals - 1) if refused.retryable else NO_PAUSE
        return retried.with_transaction(replace(attempt, attend_at=self.at + wait))

    def absent(self, fact: Absence) -> Order:
        transaction = self.transaction
        if transaction.status is TransactionStatus.FAILED:
            due = transaction.attend_at
            early = due is not None and fact.asked_at < due
            return self.order if early else self.second_look_done(self.order)
        asked = {TransactionStatus.RECORDED, TransactionStatus.UNKNOWN}
        if transaction.status not in asked or not transaction.absence_is_proof_at(fact.asked_at):
            return self.order
        failed = transaction.finished(
            TransactionStatus.FAILED,
            reason="never_reached_the_provider",
            attend_at=self.at + transaction.horizon,
        )
        if failed.kind is TransactionKind.CAPTURE:
            return self.capture_refused(failed, "never_reached_the_provider")
        if not failed.takes_money:
            return self.reversal_refused(failed, "never_reached_the_provider")
        order = self.order.with_transaction(failed).with_news(
            PaymentFailed(failed.id, "never_reached_the_provider"), self.at
        )
        if order.status is OrderStatus.AWAITING_PAYMENT:
            return order.moved_to(OrderStatus.PAYMENT_FAILED)
        return order

    def second_look_done(self, order: Order) -> Order:
        """A movement that failed for want of any trace is looked up once more; not twice."""
        looked_at = order.transaction(self.transaction.id)
        if looked_at.status is not TransactionStatus.FAILED or looked_at.attend_at is None:
            return order
        return order.with_transaction(replace(looked_at, attend_at=None))

    # Not yet ------------------------------------------------------------------------------

    def waits(self, outcome: ActionRequired | Pending) -> Order:
        transaction = self.transaction
        found_after_all = transaction.status is TransactionStatus.FAILED and transaction.takes_money
        if not (transaction.is_open or found_after_all):
            return self.order
        news: PaymentPending | BuyerActionRequired
        if isinstance(outcome, Pending):
            waiting = replace(
                transaction,
                status=TransactionStatus.PENDING,
                provider_reference=outcome.reference,
                action_url=None,
                client_secret=None,
            )
            news = PaymentPending(waiting.id, outcome.reference)
        else:
            waiting = replace(
                transaction,
                status=TransactionStatus.ACTION_REQUIRED,
                provider_reference=outcome.reference,
                action_url=outcome.url or transaction.action_url,
                client_secret=outcome.client_secret or transaction.client_secret,
            )
            news = BuyerActionRequired(waiting.id, outcome.reference)
        if waiting == transaction:
            return self.order
        if found_after_all:
            # It was taken for absent and is alive: the dead order must not be paid, so it is
            # looked after like any other, and voided or given back.
            waiting = replace(waiting, attend_at=self.at)
        order = self.order.with_transaction(waiting)
        changed = waiting.status is not transaction.status
        return order.with_news(news, self.at) if changed else order

    def next_step(self, reference: str, fact: Answer | Report) -> Order:
        transaction = self.transaction
        if transaction.status is TransactionStatus.FAILED:
            return self.second_look_done(self.order)
        if transaction.status is TransactionStatus.ACTION_REQUIRED:
            return self.approved(reference)
        if isinstance(fact, Report) and transaction.step > 1:
            # A look-up shows the first step as often as it is asked, and perhaps another
            # request's; only the answer to a step leads to the next one.
            return self.order
        if transaction.status not in {TransactionStatus.RECORDED, TransactionStatus.UNKNOWN}:
            return self.order
        return self.order.with_transaction(
            replace(
                transaction,
                status=TransactionStatus.RECORDED,
                provider_reference=reference,
                step=transaction.step + 1,
                sends=0,
                never_ran=0,
            )
        )

    def approved(self, reference: str) -> Order:
        """The buyer agreed, and the money is still ours to take: the worker calls.

        A request of its own, under a key of its own, and so with a window of its own.
        """
        transaction = self.transaction
        wanted = self.order.status is OrderStatus.AWAITING_PAYMENT
        if not wanted or transaction.provider_reference != reference:
            return self.order
        return self.order.with_transaction(
            replace(
                transaction,
                status=TransactionStatus.RECORDED,
                step=transaction.step + 1,
                sends=0,
                never_ran=0,
                send_until=self.terms.charge_sent_until(self.at),
                attend_at=self.at,
                action_url=None,
                client_secret=None,
            )
        )

    def did_not_run(self, fact: Answer | Report) -> Order:
        transaction = self.transaction
        # In order and once each: another send may have begun since this one ended.
        if not isinstance(fact, Answer) or fact.send != transaction.never_ran + 1:
            return self.order
        return self.order.with_transaction(replace(transaction, never_ran=fact.send))

    def unknown(self, because: str) -> Order:
        if self.transaction.status is not TransactionStatus.RECORDED:
            return self.order
        unknown = replace(self.transaction, status=TransactionStatus.UNKNOWN, reason=because)
        return self.order.with_transaction(unknown).with_news(
            OutcomeBecameUnknown(unknown.id, because), self.at
        )

    # A person decides ---------------------------------------------------------------------

    def against_our_wish(self, outcome: Succeeded | Authorized) -> Order:
        order = self.in_review("taken_or_held_against_our_wish", outcome.reference)
        seen = order.transaction(self.transaction.id)
        if not seen.takes_money:
            return order
        # What was really done is what a person decides about: money taken, or only held.
        taken = isinstance(outcome, Succeeded)
        kind = TransactionKind.CHARGE if taken else TransactionKind.AUTHORIZATION
        return order.with_transaction(replace(seen, kind=kind))

    def another_amount(self, outcome: Succeeded | Authorized) -> Order:
        order = self.in_review(f"amount_differs:{outcome.amount}", outcome.reference)
        comparable = outcome.amount.currency == self.transaction.amount.currency
        payment = self.transaction.takes_money or self.transaction.kind is TransactionKind.CAPTURE
        if not (payment and comparable):
            return order
        # What moved is what a person decides about, and what can be given back.
        doubtful = order.transaction(self.transaction.id)
        return order.with_transaction(replace(doubtful, amount=outcome.amount))

    def doubted(self, reason: str) -> Order:
        """The transaction goes on as it is, and a person looks at what does not belong to it."""
        if self.transaction.review is not None:
            return self.order
        doubtful = replace(self.transaction, review=reason)
        return self.order.with_transaction(doubtful).with_news(
            PutInReview(doubtful.id, reason), self.at
        )

    def in_review(self, reason: str, reference: str | None = None) -> Order:
        if self.transaction.status is TransactionStatus.IN_REVIEW:
            return self.order
        if self.transaction.is_open:
            doubtful = replace(
                self.transaction.finished(
                    TransactionStatus.IN_REVIEW, reference=reference, reason=reason
                ),
                review=reason,
            )
        elif self.transaction.review == reason:
            return self.order
        else:
            doubtful = replace(self.transaction, review=reason)
        return self.order.with_transaction(doubtful).with_news(
            PutInReview(doubtful.id, reason), self.at
        )


def beyond_proof(order: Order, transaction_id: str, *, at: datetime) -> Order:
    """The order whose movement can neither be sent again nor looked up: a person decides.

    For movements that the provider has no look-up for; "we do not know" stays what it is.
    """
    transaction = order.transaction(transaction_id)
    stuck = replace(
        transaction.finished(TransactionStatus.IN_REVIEW, reason=NO_LOOK_UP),
        review=NO_LOOK_UP,
    )
    return order.with_transaction(stuck).with_news(PutInReview(stuck.id, NO_LOOK_UP), at)
