"""What a person accepted as taken, and nobody had seen, is refused by the provider's own word."""

from order_core.events import ProviderMovedMoney
from order_core.late_money import MoneyEvent
from order_core.order import Order
from order_core.outcomes import Declined, Restored, Reversed
from order_core.payment import DISPUTE_OPEN, TransactionKind
from order_core.settlement.consequences import concluded
from order_core.settlement.disputes import told_of_dispute
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked


def refused_after_all(settling: Settling, outcome: Declined) -> Order:
    """The order without that money, until a person has said which of the two is true.

    As with a dispute: nothing of it is given back meanwhile, and it is there again once he says
    that it was taken.
    """
    order, paid = settling.order, settling.transaction
    if outcome.reference and paid.provider_reference not in {None, outcome.reference}:
        # Another object of the provider's, a try that failed, says nothing about this one.
        return order
    if any(
        (t.kind, t.parent_id) == (TransactionKind.REVERSAL, paid.id) for t in order.transactions
    ):
        # A person has heard of it, or the bank had something to take back.
        return order
    doubt = f"refused_after_all:{outcome.reason}"
    # By our own id no provider names a dispute: what shows the payment after all ends this one.
    gone = Reversed(paid.id, paid.amount, doubt, open=True)
    move = unasked(settling, TransactionKind.REVERSAL, gone, parent=paid, reason=DISPUTE_OPEN)
    news = ProviderMovedMoney(move.id, move.kind, str(move.amount), outcome.reference or paid.id)
    order = order.with_transaction(move).with_news(news, settling.at)
    return concluded(settling, order, move, MoneyEvent.REFUSED_AFTER_ALL, doubt=doubt)


def shown_after_all(settling: Settling) -> Order:
    """The order with that money again: the provider shows that it was taken, refused or not.

    What a person has said of the refusal meanwhile was about what was known by then.
    """
    order, paid = settling.order, settling.transaction
    refused = any(
        (t.parent_id, t.provider_reference) == (paid.id, paid.id) for t in order.transactions
    )
    if not (paid.took_money and refused):
        # A refund that came back has its return by our id, too, and was made before.
        return order
    there = Restored(paid.id, paid.amount, "shown_after_all")
    return told_of_dispute(settling, there, None)
