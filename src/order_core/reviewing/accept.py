"""It is all right as it is: what the provider did counts."""

from typing import Final

from order_core.events import OrderPlaced, PaymentFailed
from order_core.giving_back import letting_go_what_is_spare, refunding, voiding
from order_core.immutable import replace
from order_core.late_money import MoneyEvent
from order_core.money import Money
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.outcomes import Declined
from order_core.payment import (
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.payment_terms import decided_by
from order_core.reviewing.on_record import as_the_provider_has_it, hold_given_up, order_waits_for
from order_core.reviewing.refunded_otherwise import refunded_otherwise
from order_core.reviewing.undone_refunds import ENDED, is_undone_refund, paid_by, rest_given_back
from order_core.settlement.absent import never_happened
from order_core.settlement.consequences import concluded
from order_core.settlement.refused_after_all import refused_after_all
from order_core.settlement.review import differs
from order_core.settlement.settling import Settling

_LET_GO: Final = "voided"


def accepted(deciding: Settling) -> Order:
    """The order with what is on record as the provider has it, and no doubt about that."""
    if _is_settled_by_accepting(deciding.order, deciding.transaction):
        return refunded_otherwise(_without_what_is_back(deciding))
    if _was_taken_by_another(deciding.order, deciding.transaction):
        # What the provider did is the other one.
        return never_happened(deciding)
    if end := _end_of_its_hold(deciding.order, deciding.transaction):
        taken = as_the_provider_has_it(deciding)
        order = hold_given_up(deciding, taken)
        # As if that were told now: his word is against the provider's.
        return refused_after_all(replace(deciding, order=order, transaction=taken), Declined(end))
    order = _accepted_as_it_is(deciding)
    if order.lets_go:
        return order
    return letting_go_what_is_spare(
        order, at=deciding.at, new_id=deciding.new_id, terms=deciding.terms
    )


def _is_settled_by_accepting(order: Order, undone: PaymentTransaction) -> bool:
    """Whether it is all right that an order which ended gives this back to nobody any more.

    Then its buyer must have it otherwise: the next payment that goes back would take it along.
    """
    in_doubt = undone.status is TransactionStatus.IN_REVIEW
    if in_doubt or order.status not in ENDED or not is_undone_refund(order, undone):
        return False
    # If nothing is left, it went back through the provider meanwhile, or is about to.
    return order.left_of(paid_by(order, undone)) > 0


def _without_what_is_back(deciding: Settling) -> Settling:
    """The same about what is left to give back; the rest of it stands beside that.

    Counted as given back otherwise, what went back through the provider, or was so counted before,
    would be back twice.
    """
    order, undone = deciding.order, deciding.transaction
    currency, left = undone.amount.currency, order.left_of(paid_by(order, undone))
    is_back = undone.amount.minor_units - left
    if is_back <= 0:
        return deciding
    amount = Money(is_back, currency)
    beside = replace(undone, id=deciding.new_id(), amount=amount, review=None, attend_at=None)
    part = replace(undone, amount=Money(left, currency))
    return replace(deciding, order=order.with_transaction(beside), transaction=part)


def _was_taken_by_another(order: Order, capture: PaymentTransaction) -> bool:
    """Whether nobody has seen this capture, and others leave no room for it in its hold."""
    if capture.kind is not TransactionKind.CAPTURE or not capture.is_given_up:
        return False
    others = [
        t.amount.minor_units
        for t in order.payments
        if t.kind is capture.kind and t.parent_id == capture.parent_id
    ]
    hold = order.transaction(capture.parent_id or "")
    return bool(others) and sum(others) + capture.amount.minor_units > hold.amount.minor_units


def _end_of_its_hold(order: Order, capture: PaymentTransaction) -> str | None:
    """Why the hold ended, or was let go, of a capture that nobody has seen; None if it was not."""
    if capture.kind is not TransactionKind.CAPTURE or not capture.is_given_up:
        return None
    hold = order.transaction(capture.parent_id or "")
    if hold.status is TransactionStatus.VOIDED:
        return hold.reason or _LET_GO
    let_go = any(
        (t.kind, t.parent_id, t.status)
        == (TransactionKind.VOID, hold.id, TransactionStatus.SUCCEEDED)
        for t in order.transactions
    )
    return _LET_GO if let_go else None


def _accepted_as_it_is(deciding: Settling) -> Order:
    settled = as_the_provider_has_it(deciding)
    order = hold_given_up(deciding, settled)
    if order_waits_for(deciding) and not settled.is_live:
        # It was held once, and let go by hand before anybody decided about it.
        order = order.with_news(PaymentFailed(settled.id, "voided"), deciding.at)
        return concluded(deciding, order, settled, MoneyEvent.VOIDED)
    if order_waits_for(deciding):
        placed = OrderPlaced(settled.id, settled.provider_reference or "")
        return order.moved_to(OrderStatus.PENDING).with_news(placed, deciding.at)
    if order.lives_on(settled) and settled.attend_at is None:
        attend_at = decided_by(settled.capture_before, now=deciding.at)
        order = order.with_transaction(replace(settled, attend_at=attend_at))
    in_doubt = deciding.transaction.status is TransactionStatus.IN_REVIEW
    owes = in_doubt or _is_shown_otherwise(order, deciding.transaction)
    if owes and order.status in ENDED:
        return _owed_by_an_ended(deciding, order, settled)
    if settled.kind is TransactionKind.VOID and not settled.is_live and order.lets_go:
        # It was refused, and what it was to let go may stand still.
        held = order.transaction(settled.parent_id or "")
        if not held.is_held:
            return order
        return order.with_transaction(replace(held, attend_at=deciding.at))
    return order


def _is_shown_otherwise(order: Order, accepted: PaymentTransaction) -> bool:
    """Whether the provider showed another sum than what was accepted, and asked back, of it.

    A refund of it that was refused is decided about by itself.
    """
    refused = any(t.parent_id == accepted.id and t.review for t in order.transactions)
    refund = accepted.kind is TransactionKind.REFUND and accepted.origin is Origin.OURS
    return differs(accepted) and (refund or (accepted.took_money and not refused))


def _owed_by_an_ended(deciding: Settling, order: Order, settled: PaymentTransaction) -> Order:
    """It was ours after all, and an order that ended has no right to it."""
    at, new_id, terms = deciding.at, deciding.new_id, deciding.terms
    if settled.is_held:
        return voiding(order, settled, at=at, new_id=new_id, terms=terms)
    if settled.kind in {TransactionKind.CHARGE, TransactionKind.CAPTURE}:
        return refunding(order, settled, at=at, new_id=new_id, terms=terms)
    if settled.kind is TransactionKind.REFUND and differs(deciding.transaction):
        # It was made in part, and nobody else asks for the rest.
        return rest_given_back(deciding, order, order.transaction(settled.parent_id or ""))
    return order
