"""A refund that somebody made at the provider's dashboard went wrong, at once or afterwards."""

from order_core.events import ProviderMovedMoney, ReversalDeclined
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.money import Money
from order_core.order import Order
from order_core.outcomes import Declined, Reversed, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.settlement.consequences import concluded
from order_core.settlement.refunded_beyond import parts_beyond
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked


def refund_undone(
    settling: Settling, outcome: Reversed | Declined, reference: str, sequence: int | None
) -> Order:
    """The order without the refund, whose parent is the settling's payment.

    It may be heard before the refund itself, which then must not be counted any more: so the
    refund is entered as refused, and its success finds it there.
    """
    refund = refund_of(settling.order, reference)
    if refund is None:
        return _refused_before_it_was_known(settling, outcome, reference, sequence)
    return refund_returned(settling, refund, _because(outcome), sequence)


def refund_returned(
    settling: Settling,
    refund: PaymentTransaction,
    because: str,
    sequence: int | None = None,
    *,
    named: str | None = None,
) -> Order:
    """The order to which a refund that had succeeded came back: the money is ours, and owed.

    `named` is the return's reference, which need not be the refund's.
    """
    order, known = settling.order, refund.provider_sequence
    older = known is not None and sequence is not None and sequence < known
    done = refund.status is TransactionStatus.SUCCEEDED
    if not done or older or order.returned_of(refund):
        return order
    reference = named or refund.provider_reference or refund.id
    moves = [
        unasked(
            settling,
            TransactionKind.REVERSAL,
            Reversed(reference, part.amount, because),
            parent=part,
            sequence=sequence,
        )
        for part in (refund, *parts_beyond(order, refund))
    ]
    for move in moves:
        news = ProviderMovedMoney(move.id, move.kind, str(move.amount), reference)
        order = order.with_transaction(move).with_news(news, settling.at)
    # What had gone back beyond it is nobody's to give again.
    return concluded(settling, order, moves[0], MoneyEvent.REFUND_RETURNED, doubt=because)


def refund_of(order: Order, reference: str) -> PaymentTransaction | None:
    """The refund that the provider knows by this reference, one that was done before others."""
    refunds = [
        t
        for t in order.transactions
        if t.kind is TransactionKind.REFUND and t.provider_reference == reference
    ]
    return max(refunds, key=lambda t: t.is_live, default=None)


def _refused_before_it_was_known(
    settling: Settling, outcome: Reversed | Declined, reference: str, sequence: int | None
) -> Order:
    nothing = Money(0, settling.transaction.amount.currency)
    event, amount = MoneyEvent.REFUND_FAILED_UNASKED, nothing
    if isinstance(outcome, Reversed):
        event, amount = MoneyEvent.REFUND_RETURNED, outcome.amount
    refund = unasked(
        settling,
        TransactionKind.REFUND,
        Succeeded(reference, amount, ""),
        parent=settling.transaction,
        sequence=sequence,
    )
    refused = replace(refund, status=TransactionStatus.DECLINED, reason=_because(outcome))
    news = ReversalDeclined(refused.id, _because(outcome), again=False)
    order = settling.order.with_transaction(refused).with_news(news, settling.at)
    return concluded(settling, order, refused, event, doubt=_because(outcome))


def _because(outcome: Reversed | Declined) -> str:
    return outcome.because if isinstance(outcome, Reversed) else outcome.reason
