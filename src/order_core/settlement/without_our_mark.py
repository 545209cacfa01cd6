"""A success that does not carry our mark: another's payment, or the buyer's made without us."""

from datetime import timedelta
from typing import Final

from order_core.immutable import replace
from order_core.order import Order
from order_core.outcomes import Answer, Authorized, Report, Succeeded
from order_core.payment import ANOTHERS_IS_SHOWN, PaymentTransaction
from order_core.settlement.absent import beyond_proof
from order_core.settlement.after_the_last_word import money_moved_after_the_last_word
from order_core.settlement.review import ANOTHER_TRANSACTION, doubted, paid_without_us
from order_core.settlement.second_look import second_look_done
from order_core.settlement.settling import Settling

_SHOWN_BY_MISTAKE: Final = timedelta(days=1)
"""So long another's payment may be shown in the place of ours, and ours after all."""

_IS_THERE: Final = timedelta(days=14)
"""The same of what is open, and was seen under a reference: mostly it ends by itself."""


def without_our_mark(
    settling: Settling, outcome: Succeeded | Authorized, fact: Answer | Report
) -> Order:
    """It is a person's to look at; once nothing of ours can show up any more, it ends with that."""
    ours = settling.transaction
    if _was_accepted(ours, outcome):
        return money_moved_after_the_last_word(settling, outcome)
    asked_at = fact.asked_at if isinstance(fact, Report) else None
    proof_from = ours.absence_is_proof_from(settling.terms.policy.clock_skew)
    if asked_at is None or asked_at < proof_from:
        return doubted(settling, ANOTHER_TRANSACTION)
    # Marked with another name it is another's, and shown to us by mistake.
    if not outcome.transaction_id and ours.is_open and ours.takes_money:
        return paid_without_us(settling, outcome)
    is_there = ours.is_open and ours.provider_reference is not None
    by_mistake = _IS_THERE if is_there else _SHOWN_BY_MISTAKE
    if asked_at < proof_from + by_mistake:
        return doubted(settling, ANOTHER_TRANSACTION)
    return _no_longer_asked_about(settling)


def _was_accepted(transaction: PaymentTransaction, outcome: Succeeded | Authorized) -> bool:
    # Whatever its mark, it is on record as ours; doubted anew, it would be a person's for ever.
    final = transaction.is_live and not transaction.is_undecided
    return final and transaction.provider_reference == outcome.reference


def _no_longer_asked_about(settling: Settling) -> Order:
    """Another's has been shown for too long: each look would undo what a person decides."""
    ours = settling.transaction
    if ours.is_open and ours.review == ANOTHER_TRANSACTION:
        return beyond_proof(settling.order, ours.id, at=settling.at, because=ANOTHERS_IS_SHOWN)
    order = second_look_done(settling, settling.order)
    settling = replace(settling, order=order, transaction=order.transaction(ours.id))
    return doubted(settling, ANOTHER_TRANSACTION)
