"""Money that moved although the last word on its movement was spoken."""

from order_core.events import LatePaymentReceived, PutInReview
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import Authorized, Succeeded
from order_core.payment import (
    DEAD_STATUSES,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.settlement.hold import hold_dated
from order_core.settlement.second_look import second_look_done
from order_core.settlement.settling import Settling


def money_moved_after_the_last_word(settling: Settling, outcome: Succeeded | Authorized) -> Order:
    """A second debit, or a success after a proven no: a transaction of its own."""
    known = {
        (transaction.kind, transaction.provider_reference)
        for transaction in settling.order.transactions
        if transaction.status not in DEAD_STATUSES
    }
    transaction = settling.transaction
    if transaction.status is TransactionStatus.AUTHORIZED:
        if isinstance(outcome, Succeeded):
            return _hold_taken(settling, outcome)
        return hold_dated(settling, outcome)
    if (transaction.kind, outcome.reference) in known:
        return second_look_done(settling, settling.order)
    no_longer_wanted = settling.order.status in {OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED}
    goes_back = transaction.takes_money and no_longer_wanted
    # An authorization that was taken instead of held is money taken.
    taken = isinstance(outcome, Succeeded) and transaction.takes_money
    moved = _movement(
        settling,
        TransactionKind.CHARGE if taken else transaction.kind,
        outcome,
        review=None if goes_back else "not_asked_for",
    )
    order = second_look_done(settling, settling.order).with_transaction(moved)
    if goes_back:
        return late(settling, order, moved)
    return order.with_news(PutInReview(moved.id, "not_asked_for"), settling.at)


def _hold_taken(settling: Settling, outcome: Succeeded) -> Order:
    """Somebody captured at the provider what we only held."""
    hold = settling.transaction
    if any(
        t.kind is TransactionKind.CAPTURE and t.parent_id == hold.id and t.is_live
        for t in settling.order.transactions
    ):
        # Ours, whose answer is on its way, or one that is known already.
        return settling.order
    unwanted = settling.order.status in {OrderStatus.CANCELLED, OrderStatus.PAYMENT_FAILED}
    capture = _movement(
        settling, TransactionKind.CAPTURE, outcome, review=None if unwanted else "not_asked_for"
    )
    order = settling.order.with_transaction(hold.finished(TransactionStatus.SUCCEEDED))
    order = order.with_transaction(capture)
    if unwanted:
        return late(settling, order, capture)
    return order.with_news(PutInReview(capture.id, "not_asked_for"), settling.at)


def _movement(
    settling: Settling,
    kind: TransactionKind,
    outcome: Succeeded | Authorized,
    *,
    review: str | None,
) -> PaymentTransaction:
    """What the provider did about this transaction without being asked, as one of its own."""
    about = settling.transaction
    taken = isinstance(outcome, Succeeded)
    return PaymentTransaction(
        id=settling.new_id(),
        order_id=settling.order.id,
        customer_id=settling.order.customer_id,
        kind=kind,
        amount=outcome.amount,
        provider=about.provider,
        account=about.account,
        installation=about.installation,
        request_version=about.request_version,
        recorded_at=settling.at,
        send_until=settling.at,
        horizon=about.horizon,
        status=TransactionStatus.SUCCEEDED if taken else TransactionStatus.AUTHORIZED,
        origin=Origin.PROVIDER,
        parent_id=about.id,
        parent_reference=about.parent_reference,
        provider_reference=outcome.reference,
        review=review,
    )


def late(settling: Settling, order: Order, paid: PaymentTransaction) -> Order:
    """Money for an order that is dead already: it goes back."""
    news = LatePaymentReceived(paid.id, str(paid.amount))
    return order.with_news(news, settling.at).giving_back(
        at=settling.at, new_id=settling.new_id, terms=settling.terms
    )
