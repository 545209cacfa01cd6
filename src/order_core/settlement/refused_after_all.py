"""What a person accepted as taken, and nobody had seen, is refused by the provider's own word."""

from typing import Final

from order_core.events import ProviderMovedMoney
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.order import Order
from order_core.outcomes import Authorized, Declined, Restored, Reversed
from order_core.payment import (
    DISPUTE_OPEN,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.settlement.consequences import concluded
from order_core.settlement.disputes import told_of_dispute
from order_core.settlement.settling import Settling
from order_core.settlement.unasked import unasked

REFUSED_AFTER_ALL: Final = "refused_after_all"
"""Why something is in review that a person had accepted unseen; the refusal's reason follows."""

_ENDS_A_HOLD: Final = frozenset({TransactionKind.CAPTURE, TransactionKind.VOID})


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
    doubt = f"{REFUSED_AFTER_ALL}:{outcome.reason}"
    # By our own id no provider names a dispute: what shows the payment after all ends this one.
    gone = Reversed(paid.id, paid.amount, doubt, open=True)
    move = unasked(settling, TransactionKind.REVERSAL, gone, parent=paid, reason=DISPUTE_OPEN)
    news = ProviderMovedMoney(move.id, move.kind, str(move.amount), outcome.reference or paid.id)
    order = order.with_transaction(move).with_news(news, settling.at)
    return concluded(settling, order, move, MoneyEvent.REFUSED_AFTER_ALL, doubt=doubt)


def ended_after_all(settling: Settling, because: str) -> Order:
    """The order whose hold has ended, of which a person said that it was taken, and nobody saw it.

    A hold that was taken does not end by itself, and is not let go.
    """
    order, hold = settling.order, settling.transaction
    for capture in order.transactions:
        if capture.parent_id == hold.id and capture.is_taken_unseen:
            about_it = replace(settling, order=order, transaction=capture)
            order = refused_after_all(about_it, Declined(because))
    return order


def held_after_all(settling: Settling, outcome: Declined) -> Order:
    """The order with that hold beside the one which a person said was let go: it may stand still.

    The provider refused the void. What it says of the hold from now on is about this one.
    """
    order, void = settling.order, settling.transaction
    if outcome.reference and void.provider_reference not in {None, outcome.reference}:
        return order
    gone = order.transaction(void.parent_id or "")
    # What ended by the provider's word, or by a person's, was refused for that.
    let_go = gone.status is TransactionStatus.VOIDED and gone.reason is None
    if gone.kind is not TransactionKind.AUTHORIZATION or not let_go:
        return order
    if _is_shown_to_be_over(order, gone):
        return order
    reference, ends = gone.provider_reference or "", gone.capture_before
    ours = order.transaction(gone.parent_id or "") if gone.is_beside_ours else gone
    # Put on record for this void, or for a later one: told again, it has no second effect. What is
    # older was let go since, by a void that a person accepted as well.
    since = order.transactions[order.transactions.index(void) :]
    if any(t.is_beside_ours and t.provider_reference == reference for t in since):
        return order
    stands = Authorized(reference, gone.amount, ours.id, ends)
    held = unasked(settling, TransactionKind.AUTHORIZATION, stands, parent=ours)
    # By its name the refusal is known, should it be told again once the next void is accepted.
    named = replace(void, provider_reference=outcome.reference or void.provider_reference)
    order = order.with_transaction(named).with_transaction(held)
    doubt = f"{REFUSED_AFTER_ALL}:{outcome.reason}"
    return concluded(settling, order, held, MoneyEvent.NOT_LET_GO, doubt=doubt)


def _is_shown_to_be_over(order: Order, gone: PaymentTransaction) -> bool:
    """Whether the provider has shown that the hold was taken, or let go: refused for that."""
    reference = gone.provider_reference
    copies = {
        t.id for t in order.transactions if t.takes_money and t.provider_reference == reference
    }
    return any(
        t.kind in _ENDS_A_HOLD
        and t.parent_id in copies
        and t.status is TransactionStatus.SUCCEEDED
        and not t.is_done_unseen
        for t in order.transactions
    )


def shown_after_all(settling: Settling) -> Order:
    """The order with that money again: the provider shows that it was taken, refused or not.

    What a person has said of the refusal meanwhile was about what was known by then.
    """
    order, paid = settling.order, settling.transaction
    if not any(_is_its_refusal(t, paid) for t in order.transactions):
        return order
    there = Restored(paid.id, paid.amount, "shown_after_all")
    return told_of_dispute(settling, there, None)


def without_its_refusal(order: Order, paid: PaymentTransaction) -> Order:
    """The order as if nobody had ever refused this payment after all."""
    others = tuple(t for t in order.transactions if not _is_its_refusal(t, paid))
    return replace(order, transactions=others)


def _is_its_refusal(word: PaymentTransaction, paid: PaymentTransaction) -> bool:
    # A refund that came back has its return by our id, too, and was made before.
    same = (word.parent_id, word.provider_reference) == (paid.id, paid.id)
    return paid.took_money and same
