"""Money that the provider moved by itself: a refund at its dashboard, a dispute, a return.

We never asked for it, so it is a transaction of its own, beside ours.
"""

from collections.abc import Callable
from datetime import datetime

from order_core.events import ProviderMovedMoney, PutInReview
from order_core.order import Order
from order_core.outcomes import Reversed, Succeeded
from order_core.payment import (
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)


def moved_by_provider(
    order: Order,
    parent: PaymentTransaction,
    kind: TransactionKind,
    outcome: Succeeded | Reversed,
    *,
    at: datetime,
    new_id: Callable[[], str],
) -> Order:
    """The order with what the provider did to `parent` on record; the same order if it is known.

    A refund within what was taken is an ordinary refund. Anything else is for a person.
    """
    if any(
        t.kind is kind and t.provider_reference == outcome.reference for t in order.transactions
    ):
        return order
    review = None
    if isinstance(outcome, Reversed):
        review = outcome.because
    elif kind is not TransactionKind.REFUND:
        review = "not_asked_for"
    elif outcome.amount.minor_units > order.left_of(parent):
        review = "refunded_more_than_taken"
    move = PaymentTransaction(
        id=new_id(),
        order_id=order.id,
        customer_id=order.customer_id,
        kind=kind,
        amount=outcome.amount,
        provider=parent.provider,
        account=parent.account,
        installation=parent.installation,
        request_version=parent.request_version,
        recorded_at=at,
        send_until=at,
        horizon=parent.horizon,
        status=TransactionStatus.SUCCEEDED,
        origin=Origin.PROVIDER,
        parent_id=parent.id,
        parent_reference=parent.provider_reference,
        provider_reference=outcome.reference,
        review=review,
    )
    if kind is TransactionKind.CAPTURE and parent.status is TransactionStatus.AUTHORIZED:
        # Taken now, and held no longer: nobody may void it, or take it again.
        order = order.with_transaction(parent.finished(TransactionStatus.SUCCEEDED))
    news = ProviderMovedMoney(move.id, kind, str(outcome.amount), outcome.reference)
    order = order.with_transaction(move).with_news(news, at)
    return order.with_news(PutInReview(move.id, review), at) if review else order
