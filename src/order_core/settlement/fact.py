"""The one door: which story a fact belongs to."""

from collections.abc import Callable
from datetime import datetime

from order_core.order import Order
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
    Succeeded,
)
from order_core.payment import PaymentTransaction
from order_core.payment_terms import PaymentTerms
from order_core.settlement.absent import absent
from order_core.settlement.guessed import without_wrong_guess
from order_core.settlement.money_moved import money_moved
from order_core.settlement.refused import declined
from order_core.settlement.settling import Settling
from order_core.settlement.waiting import did_not_run, next_step, unknown, waits


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
    settling = Settling(order, transaction, at, new_id, terms)
    if isinstance(fact, Report):
        settling = without_wrong_guess(settling, fact)
        transaction = settling.transaction
    if isinstance(fact, Absence):
        return absent(settling, fact)
    if isinstance(fact, Answer) and fact.step != transaction.step:
        # An answer to an earlier step; that step's result is in the record already.
        return order
    return _answered(settling, believed(transaction, fact), fact)


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


def _answered(settling: Settling, outcome: Outcome, fact: Answer | Report) -> Order:
    match outcome:
        case Succeeded() | Authorized():
            return money_moved(settling, outcome, fact)
        case Declined():
            return declined(settling, outcome, fact)
        case ActionRequired() | Pending():
            return waits(settling, outcome, fact)
        case Continue(reference):
            return next_step(settling, reference, fact)
        case NotSent() | RateLimited():
            return did_not_run(settling, fact)
        case InProgress():
            return settling.order
        case OutcomeUnknown(because):
            return unknown(settling, because)
