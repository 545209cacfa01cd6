"""What the provider tells of a dispute, in whatever order it arrives."""

from typing import Final

from order_core.events import ProviderMovedMoney
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.order import Order
from order_core.outcomes import Restored, Reversed
from order_core.payment import (
    DISPUTE_LOST,
    DISPUTE_OPEN,
    DISPUTE_WON,
    PaymentTransaction,
    TransactionKind,
)
from order_core.settlement.consequences import concluded
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
    that a dispute which was won is open again.
    """
    order, paid = settling.order, settling.transaction
    phase = _phase(outcome)
    words = tuple(
        t
        for t in order.transactions
        if t.kind is TransactionKind.REVERSAL
        and (t.parent_id, t.provider_reference) == (paid.id, outcome.reference)
    )
    if words and words[-1].reason == phase:
        return _confirmed(order, words[-1], sequence)
    if words and _is_older(words, phase, sequence):
        return order
    move = unasked(
        settling, TransactionKind.REVERSAL, outcome, parent=paid, reason=phase, sequence=sequence
    )
    news = ProviderMovedMoney(move.id, move.kind, str(outcome.amount), outcome.reference)
    order = order.with_transaction(move).with_news(news, settling.at)
    return concluded(settling, order, move, _EVENT_OF_PHASE[phase], doubt=outcome.because)


def _phase(outcome: Reversed | Restored) -> str:
    if isinstance(outcome, Restored):
        return DISPUTE_WON
    return DISPUTE_OPEN if outcome.open else DISPUTE_LOST


def _is_older(words: tuple[PaymentTransaction, ...], phase: str, sequence: int | None) -> bool:
    known = words[-1].provider_sequence
    if sequence is None or known is None:
        # Nobody tells which is the later one: that it was opened may be heard after how it
        # ended, and what was heard before may be heard again.
        return phase == DISPUTE_OPEN or any(word.reason == phase for word in words)
    if sequence != known:
        return sequence < known
    return _OF_EQUAL_AGE.index(phase) < _OF_EQUAL_AGE.index(words[-1].reason or "")


def _confirmed(order: Order, word: PaymentTransaction, sequence: int | None) -> Order:
    # Known, but true for longer than we knew: what lies between would pass for news otherwise.
    if sequence is None or (word.provider_sequence or 0) >= sequence:
        return order
    return order.with_transaction(replace(word, provider_sequence=sequence))
