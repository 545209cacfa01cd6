"""What is recorded so that money goes back: voids of what is held, refunds of what was taken."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from order_core.events import RefundRecorded, VoidRecorded
from order_core.money import Money
from order_core.order import Order
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.payment_terms import PaymentTerms

_ENDS_A_HOLD: Final = frozenset({TransactionKind.CAPTURE, TransactionKind.VOID})


def giving_back(
    order: Order, *, at: datetime, new_id: Callable[[], str], terms: PaymentTerms
) -> Order:
    """The order with a refund or void recorded for whatever it holds without a right to."""
    for moved in order.transactions:
        if moved.is_held:
            order = voiding(order, moved, at=at, new_id=new_id, terms=terms)
        elif moved.took_money:
            order = refunding(order, moved, at=at, new_id=new_id, terms=terms)
    return order


def letting_go_what_is_spare(
    order: Order, *, at: datetime, new_id: Callable[[], str], terms: PaymentTerms
) -> Order:
    """The order with a void recorded of every hold that is spare: its buyer pays once.

    What the provider would not let go of is a person's, whatever he decided about that. A
    void that never reached the provider was not refused.
    """
    voids = [t for t in order.transactions if t.kind is TransactionKind.VOID]
    refused = {t.parent_id for t in voids if t.status is TransactionStatus.DECLINED or t.review}
    spare = [held for held in order.transactions if order.is_spare(held)]
    for held in spare:
        if held.id not in refused:
            order = voiding(order, held, at=at, new_id=new_id, terms=terms)
    return order


def voiding(
    order: Order,
    held: PaymentTransaction,
    *,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms,
) -> Order:
    """The order with a void of `held` recorded, unless a void or capture is open or done."""
    if any(
        t.parent_id == held.id and t.is_live and t.kind in _ENDS_A_HOLD for t in order.transactions
    ):
        return order
    void = order.follow_up(
        TransactionKind.VOID, held, held.amount, at=at, new_id=new_id, terms=terms
    )
    return order.with_transaction(void).with_news(VoidRecorded(void.id, held.id), at)


def refunding(
    order: Order,
    paid: PaymentTransaction,
    amount: Money | None = None,
    *,
    by: str | None = None,
    at: datetime,
    new_id: Callable[[], str],
    terms: PaymentTerms,
) -> Order:
    """The order with a refund of `amount` recorded, or of all that is left of `paid`.

    `by` is who asked for it, if anybody did.
    """
    left = order.left_of(paid)
    wanted = amount.minor_units if amount else left
    if not 0 < wanted <= left:
        return order
    kind, back = TransactionKind.REFUND, Money(wanted, paid.amount.currency)
    refund = order.follow_up(kind, paid, back, at=at, new_id=new_id, terms=terms)
    recorded = RefundRecorded(refund.id, str(back), by)
    return order.with_transaction(refund).with_news(recorded, at)
