"""A word with our mark takes back the name that a refund got from one without it."""

from order_core.events import ProviderMovedMoney
from order_core.immutable import replace
from order_core.order import Order
from order_core.outcomes import Declined, Report, Succeeded
from order_core.payment import (
    NO_LOOK_UP,
    TOLD_WITHOUT_MARK,
    Origin,
    PaymentTransaction,
    TransactionKind,
)
from order_core.settlement.review import differs
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked


def without_wrong_guess(settling: Settling, report: Report) -> Settling:
    """The same, but for a name that was taken for another refund's, as it turns out now.

    Of several refunds that nobody has seen, what is told without a mark is taken for one of its
    sum. If that was wrong, the name is that of another one, or of a refund at the dashboard.
    """
    ours, outcome = settling.transaction, report.outcome
    if ours.kind is not TransactionKind.REFUND or not isinstance(outcome, Succeeded | Declined):
        return settling
    name = report.returned_as or outcome.reference
    if name is None or name == ours.provider_reference:
        return settling
    order = settling.order
    for other in order.transactions:
        same = (other.parent_id, other.provider_reference) == (ours.parent_id, name)
        if same and _is_guessed(other):
            order = order.with_transaction(_unnamed(other))
    # A return of the sum that was told may have a name of its own.
    if _is_guessed(ours) and (report.returned_as is None or differs(ours)):
        order = _named_otherwise(replace(settling, order=order), ours)
    return replace(settling, order=order, transaction=order.transaction(ours.id))


def _named_otherwise(settling: Settling, ours: PaymentTransaction) -> Order:
    order = settling.order.with_transaction(_unnamed(ours))
    name = ours.provider_reference or ""
    for other in order.transactions:
        unseen = other.kind is ours.kind and other.is_done_unseen
        same = (other.parent_id, other.amount) == (ours.parent_id, ours.amount)
        if unseen and same and other.id != ours.id and other.provider_reference is None:
            named = replace(other, provider_reference=name, reason=TOLD_WITHOUT_MARK)
            return order.with_transaction(named)
    paid = order.transaction(ours.parent_id or "")
    move = unasked(settling, ours.kind, Succeeded(name, ours.amount, ""), parent=paid)
    news = ProviderMovedMoney(move.id, move.kind, str(move.amount), name)
    return order.with_transaction(move).with_news(news, settling.at)


def _is_guessed(refund: PaymentTransaction) -> bool:
    told = refund.reason == TOLD_WITHOUT_MARK and refund.origin is Origin.OURS
    return told and refund.kind is TransactionKind.REFUND


def _unnamed(refund: PaymentTransaction) -> PaymentTransaction:
    # That it was shown with another sum was said of another one, too.
    review = None if differs(refund) else refund.review
    return replace(refund, provider_reference=None, reason=NO_LOOK_UP, review=review)
