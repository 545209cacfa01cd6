"""Money that the provider moved by itself: a refund at its dashboard, a dispute, a return.

We never asked for it, so it is a transaction of its own, beside ours.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from order_core.events import ProviderMovedMoney
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.order import Order
from order_core.outcomes import Declined, Restored, Reversed, Succeeded
from order_core.payment import (
    ONE_WAS_REFUSED,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import PaymentTerms
from order_core.settlement.consequences import NOT_ASKED_FOR, concluded
from order_core.settlement.disputes import told_of_dispute
from order_core.settlement.refund_undone import refund_of, refund_undone
from order_core.settlement.refunded_beyond import refunded_beyond
from order_core.settlement.refused_after_all import ended_after_all
from order_core.settlement.review import doubted
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked

_TAKES: Final = frozenset({TransactionKind.CHARGE, TransactionKind.CAPTURE})
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
    outcome: Succeeded | Reversed | Restored | Declined,
    *,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms,
    sequence: int | None = None,
    one_of: Sequence[PaymentTransaction] = (),
) -> Order:
    """The order with what the provider did to `parent` on record; the same order if it is known.

    What follows is in the table of late money: a refund within what was taken is an
    ordinary refund, most else is for a person. Only a refund can be `Declined` here.
    `sequence` is that of `ProviderFact`. If any of `one_of` may be the refund that was declined,
    a person looks which.
    """
    settling = Settling(order, parent, at, new_id, terms)
    if isinstance(outcome, Declined):
        order = refund_undone(settling, outcome, outcome.reference or "", sequence)
        for refund in one_of:
            order = doubted(replace(settling, order=order, transaction=refund), ONE_WAS_REFUSED)
        return order
    if isinstance(outcome, Reversed) and (
        kind is TransactionKind.REFUND or refund_of(order, outcome.reference)
    ):
        return refund_undone(settling, outcome, outcome.reference, sequence)
    if isinstance(outcome, Reversed | Restored):
        return told_of_dispute(settling, outcome, sequence)
    return _moved(settling, kind, outcome, sequence)


def _moved(
    settling: Settling, kind: TransactionKind, outcome: Succeeded, sequence: int | None
) -> Order:
    order, parent = settling.order, settling.transaction
    if _is_on_record(order, kind, outcome.reference):
        refund = refund_of(order, outcome.reference) if kind is TransactionKind.REFUND else None
        done = refund is not None and refund.status is TransactionStatus.SUCCEEDED
        return refunded_beyond(settling, refund, outcome) if refund and done else order
    too_much = outcome.amount.minor_units > order.left_of(parent)
    event, doubt = _EVENT_OF_KIND[kind], NOT_ASKED_FOR
    if kind is TransactionKind.REFUND and too_much:
        event, doubt = MoneyEvent.REFUNDED_BEYOND, "refunded_more_than_taken"
    move = unasked(settling, kind, outcome, parent=parent, sequence=sequence)
    if kind is TransactionKind.CAPTURE and parent.status is TransactionStatus.AUTHORIZED:
        # Taken now, and held no longer: nobody may void it, or take it again.
        order = order.with_transaction(parent.finished(TransactionStatus.SUCCEEDED))
    news = ProviderMovedMoney(move.id, kind, str(outcome.amount), outcome.reference)
    order = order.with_transaction(move).with_news(news, settling.at)
    order = concluded(settling, order, move, event, doubt=doubt)
    if kind is not TransactionKind.VOID:
        return order
    return ended_after_all(replace(settling, order=order), "voided_unasked")


def _is_on_record(order: Order, kind: TransactionKind, reference: str) -> bool:
    # A hold that was taken before we had heard of it is on record as a charge, and its event tells
    # of a capture.
    taken = kind in _TAKES and any(t.provider_reference == reference for t in order.payments)
    return taken or any(
        (t.kind, t.provider_reference) == (kind, reference) for t in order.transactions
    )
