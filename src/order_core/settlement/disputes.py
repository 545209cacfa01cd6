"""What the provider tells of a dispute, in whatever order it arrives."""

from typing import Final

from order_core.events import ProviderMovedMoney
from order_core.giving_back import refunding
from order_core.immutable import replace
from order_core.late_money import MoneyEvent, Verdict, cell
from order_core.money import Money
from order_core.order import Order
from order_core.outcomes import Restored, Reversed
from order_core.payment import (
    DISPUTE_LOST,
    DISPUTE_OPEN,
    DISPUTE_WON,
    PaymentTransaction,
    TransactionKind,
)
from order_core.settlement.consequences import PAID_ALREADY, concluded
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked

_EVENT_OF_PHASE: Final = {
    DISPUTE_OPEN: MoneyEvent.DISPUTE_OPENED,
    DISPUTE_LOST: MoneyEvent.DISPUTE_LOST,
    DISPUTE_WON: MoneyEvent.DISPUTE_WON,
}
_OF_EQUAL_AGE: Final = (DISPUTE_OPEN, DISPUTE_WON, DISPUTE_LOST)
"""Of two words of the same moment the one further behind counts: an end more than what led to
it, and the one that gives no money back more than the one that does."""


def told_of_dispute(
    settling: Settling, outcome: Reversed | Restored, sequence: int | None
) -> Order:
    """The dispute as it stands by the provider's own order, not by that of the post.

    A word that is older than the one on record changes nothing. A later one always does, be it
    that a dispute which was won is open again, or is about another amount.
    """
    order, paid = settling.order, settling.transaction
    phase = _phase(outcome)
    words = tuple(
        t
        for t in order.transactions
        if t.kind is TransactionKind.REVERSAL
        and (t.parent_id, t.provider_reference) == (paid.id, outcome.reference)
    )
    if words and _is_the_same(words[-1], phase, outcome.amount):
        return _confirmed(order, words[-1], sequence)
    if words and _is_older(words, phase, outcome.amount, sequence):
        return order
    move = unasked(
        settling, TransactionKind.REVERSAL, outcome, parent=paid, reason=phase, sequence=sequence
    )
    news = ProviderMovedMoney(move.id, move.kind, str(outcome.amount), outcome.reference)
    order = order.with_transaction(move).with_news(news, settling.at)
    if _pays_twice(settling, order):
        # Something else was taken for it while the bank had this.
        return concluded(settling, order, move, MoneyEvent.SECOND_DEBIT, doubt=PAID_ALREADY)
    order = concluded(settling, order, move, _EVENT_OF_PHASE[phase], doubt=outcome.because)
    return _giving_back_the_rest(settling, order)


def _pays_twice(settling: Settling, order: Order) -> bool:
    """Whether this gives back to us what the order, which stands, is paid without."""
    paid = order.transaction(settling.transaction.id)
    was_gone = not settling.order.left_of(settling.transaction)
    back = was_gone and order.left_of(paid) > 0 and not paid.review
    return back and not order.lets_go and order.is_paid_without(paid)


def _giving_back_the_rest(settling: Settling, order: Order) -> Order:
    """The order with a refund of what a dispute does not take any more, if it owes what was won.

    Nobody asks for that otherwise: a person who accepts what was lost accepts that it is gone.
    """
    if cell(MoneyEvent.DISPUTE_WON, order.status).verdict is not Verdict.REFUND:
        return order
    paid = settling.transaction
    if paid not in order.payments:
        # A person decides about it yet, and then all that is left of it goes back.
        return order
    ours_again = settling.order.taken_back_of(paid) - order.taken_back_of(paid)
    owed = min(ours_again, order.left_of(paid))
    if owed <= 0:
        return order
    back = Money(owed, paid.amount.currency)
    at, new_id, terms = settling.at, settling.new_id, settling.terms
    return refunding(order, paid, back, at=at, new_id=new_id, terms=terms)


def _phase(outcome: Reversed | Restored) -> str:
    if isinstance(outcome, Restored):
        return DISPUTE_WON
    return DISPUTE_OPEN if outcome.open else DISPUTE_LOST


def _is_the_same(word: PaymentTransaction, phase: str, amount: Money) -> bool:
    # How much was won gives nothing back and keeps nothing here.
    return word.reason == phase and (phase == DISPUTE_WON or word.amount == amount)


def _is_older(
    words: tuple[PaymentTransaction, ...], phase: str, amount: Money, sequence: int | None
) -> bool:
    last = words[-1]
    known = last.provider_sequence
    if sequence is None or known is None:
        # Nobody tells which is the later one: that it was opened may be heard after how it
        # ended, and what was heard before may be heard again.
        beginning = phase == DISPUTE_OPEN and last.reason != DISPUTE_OPEN
        return beginning or any(_is_the_same(word, phase, amount) for word in words)
    if sequence != known:
        return sequence < known
    if last.reason == phase:
        return amount.minor_units < last.amount.minor_units
    return _OF_EQUAL_AGE.index(phase) < _OF_EQUAL_AGE.index(last.reason or "")


def _confirmed(order: Order, word: PaymentTransaction, sequence: int | None) -> Order:
    # Known, but true for longer than we knew: what lies between would pass for news otherwise.
    if sequence is None or (word.provider_sequence or 0) >= sequence:
        return order
    return order.with_transaction(replace(word, provider_sequence=sequence))
