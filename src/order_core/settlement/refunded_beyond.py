"""The provider gave back more than was asked."""

from order_core.events import ProviderMovedMoney
from order_core.late_money import MoneyEvent
from order_core.money import Money
from order_core.order import Order
from order_core.outcomes import Authorized, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.settlement.consequences import concluded
from order_core.settlement.review import ANOTHER_AMOUNT
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked


def refunded_beyond(
    settling: Settling, refund: PaymentTransaction, told: Succeeded | Authorized
) -> Order:
    """The order with what went back beyond its refund, which is done, as a movement beside it.

    It is not ours to have asked, so it cannot stand in our own refund; left out, the books would
    say for ever that less went back than did.
    """
    order = settling.order
    if told.amount.currency != refund.amount.currency or order.returned_of(refund):
        return order
    known = (refund, *parts_beyond(order, refund))
    more = told.amount.minor_units - sum(t.amount.minor_units for t in known)
    if more <= 0:
        return order
    paid = order.transaction(refund.parent_id or "")
    beyond = Succeeded(told.reference, Money(more, told.amount.currency), "")
    move = unasked(settling, TransactionKind.REFUND, beyond, parent=paid)
    news = ProviderMovedMoney(move.id, move.kind, str(beyond.amount), told.reference)
    order = order.with_transaction(move).with_news(news, settling.at)
    doubt = f"{ANOTHER_AMOUNT}:{told.amount}"
    return concluded(settling, order, move, MoneyEvent.DONE_AGAIN, doubt=doubt)


def is_of_more(refund: PaymentTransaction, told: Succeeded | Authorized) -> bool:
    """Whether it is a refund that is done, and more went back with it."""
    done = refund.kind is TransactionKind.REFUND and isinstance(told, Succeeded)
    comparable = told.amount.currency == refund.amount.currency
    return done and comparable and told.amount.minor_units > refund.amount.minor_units


def parts_beyond(order: Order, refund: PaymentTransaction) -> list[PaymentTransaction]:
    """What went back beyond a refund, under the same reference."""
    if refund.provider_reference is None:
        return []
    return [
        t
        for t in order.transactions
        if t.kind is TransactionKind.REFUND
        and t.status is TransactionStatus.SUCCEEDED
        and t.id != refund.id
        and (t.parent_id, t.provider_reference) == (refund.parent_id, refund.provider_reference)
    ]
