"""Money that the provider moved by itself: a refund at its dashboard, a dispute, a return.

We never asked for it, so it is a transaction of its own, beside ours.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from order_core.events import ProviderMovedMoney
from order_core.late_money import MoneyEvent
from order_core.order import Order
from order_core.outcomes import Restored, Reversed, Succeeded
from order_core.payment import (
    DISPUTE_LOST,
    DISPUTE_OPEN,
    DISPUTE_WON,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import PaymentTerms
from order_core.settlement.consequences import NOT_ASKED_FOR, concluded
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked

_EVENT_OF_KIND: Final = {
    TransactionKind.CHARGE: MoneyEvent.SECOND_DEBIT,
    TransactionKind.AUTHORIZATION: MoneyEvent.SECOND_DEBIT,
    TransactionKind.CAPTURE: MoneyEvent.CAPTURED_UNASKED,
    TransactionKind.VOID: MoneyEvent.VOIDED_UNASKED,
    TransactionKind.REFUND: MoneyEvent.REFUNDED_UNASKED,
}


def moved_by_provider(
    order: Order,
    parent: PaymentTransaction,
    kind: TransactionKind,
    outcome: Succeeded | Reversed | Restored,
    *,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms,
) -> Order:
    """The order with what the provider did to `parent` on record; the same order if it is known.

    What follows is in the table of late money: a refund within what was taken is an
    ordinary refund, most else is for a person.
    """
    if isinstance(outcome, Reversed):
        parent = _returned_refund(order, outcome.reference) or parent
    phase = _phase(parent, outcome)
    if _is_known(order, kind, outcome.reference, phase):
        return order
    settling = Settling(order, parent, at, new_id, terms)
    event, doubt = _classified(order, parent, kind, outcome)
    move = unasked(settling, kind, outcome, parent=parent, reason=phase)
    if kind is TransactionKind.CAPTURE and parent.status is TransactionStatus.AUTHORIZED:
        # Taken now, and held no longer: nobody may void it, or take it again.
        order = order.with_transaction(parent.finished(TransactionStatus.SUCCEEDED))
    news = ProviderMovedMoney(move.id, kind, str(outcome.amount), outcome.reference)
    order = order.with_transaction(move).with_news(news, at)
    return concluded(settling, order, move, event, doubt=doubt)


def _returned_refund(order: Order, reference: str) -> PaymentTransaction | None:
    """The refund of this reference, if that is what came back; some name only its payment."""
    for transaction in order.transactions:
        done = transaction.status is TransactionStatus.SUCCEEDED
        refund = transaction.kind is TransactionKind.REFUND
        if refund and done and transaction.provider_reference == reference:
            return transaction
    return None


def _classified(
    order: Order,
    parent: PaymentTransaction,
    kind: TransactionKind,
    outcome: Succeeded | Reversed | Restored,
) -> tuple[MoneyEvent, str]:
    if isinstance(outcome, Restored):
        return MoneyEvent.DISPUTE_WON, outcome.because
    if isinstance(outcome, Reversed):
        if parent.kind is TransactionKind.REFUND:
            return MoneyEvent.REFUND_RETURNED, outcome.because
        event = MoneyEvent.DISPUTE_OPENED if outcome.open else MoneyEvent.DISPUTE_LOST
        return event, outcome.because
    too_much = outcome.amount.minor_units > order.left_of(parent)
    if kind is TransactionKind.REFUND and too_much:
        return MoneyEvent.REFUNDED_BEYOND, "refunded_more_than_taken"
    return _EVENT_OF_KIND[kind], NOT_ASKED_FOR


def _phase(parent: PaymentTransaction, outcome: Succeeded | Reversed | Restored) -> str | None:
    if isinstance(outcome, Restored):
        return DISPUTE_WON
    if isinstance(outcome, Reversed) and parent.kind is not TransactionKind.REFUND:
        return DISPUTE_OPEN if outcome.open else DISPUTE_LOST
    return None


def _is_known(order: Order, kind: TransactionKind, reference: str, phase: str | None) -> bool:
    known = {
        t.reason for t in order.transactions if t.kind is kind and t.provider_reference == reference
    }
    if phase == DISPUTE_OPEN:
        # That it was opened may be heard after how it ended.
        return bool(known)
    return phase in known if phase else bool(known)
