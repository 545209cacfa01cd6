"""What follows a payment: capture of a hold, void, refund."""

from collections.abc import Callable
from datetime import datetime

from order_core.outcomes import (
    Declined,
    NotFound,
    Outcome,
    OutcomeUnknown,
    Succeeded,
)
from order_core.payment import PaymentTransaction
from order_paypal import requests
from order_paypal.answers import (
    BuyerMustAct,
    DoneBefore,
    captured,
    given_back,
    refusal,
)
from order_paypal.conversation import Conversation
from order_paypal.identifiers import reference
from order_paypal.looking_up import capture_on_record, refund_on_record
from order_paypal.reading import Json, text
from order_paypal.voided import void_of_hold, void_of_order


async def capture(talk: Conversation, transaction: PaymentTransaction) -> Outcome:
    """Take what is held."""
    answer = await talk.change(requests.authorization_capture(transaction))
    if answer.is_success:
        shown = answer.body or {}
        return captured(shown, pending_as=text(shown, "id"), by_invoice=True)
    try:
        return refusal(answer)
    except BuyerMustAct:
        return OutcomeUnknown("buyer_must_act")
    except DoneBefore as refused:
        found = await capture_on_record(talk, transaction)
        if not isinstance(found, NotFound):
            return found
        hold = await talk.ask(requests.authorization_query(transaction.parent_reference))
        # The hold is used up, and none of the captures that used it up is ours.
        if text(hold, "status") in {"CAPTURED", "VOIDED"}:
            return Declined(f"hold_already_{text(hold, 'status').lower()}")
        return OutcomeUnknown(f"done_before:{refused.issue}", answered=True)


async def give_back(talk: Conversation, transaction: PaymentTransaction) -> Outcome:
    """Refund what was taken."""
    answer = await talk.change(requests.refund(transaction))
    if answer.is_success:
        return given_back(answer.body or {})
    try:
        return refusal(answer)
    except BuyerMustAct:
        return OutcomeUnknown("buyer_must_act")
    except DoneBefore as refused:
        found = await refund_on_record(talk, transaction)
        if isinstance(found, NotFound):
            return OutcomeUnknown(f"done_before:{refused.issue}", answered=True)
        return found


# Void -------------------------------------------------------------------------------------


async def void(
    talk: Conversation, transaction: PaymentTransaction, now: Callable[[], datetime]
) -> Outcome:
    """Let a hold go, or end an order that its buyer has not completed."""
    answer = await talk.change(requests.authorization_void(transaction))
    if answer.is_success:
        return await _voided(talk, transaction, answer.body or {})
    try:
        refused = refusal(answer)
    except (BuyerMustAct, DoneBefore):
        return await _voided(talk, transaction, {})
    if refused == Declined("no_such_payment"):
        return await _end_order(talk, transaction, now)
    return refused


async def _voided(talk: Conversation, transaction: PaymentTransaction, shown: Json) -> Outcome:
    reference_of_hold = transaction.parent_reference
    hold = shown or await talk.ask(requests.authorization_query(reference_of_hold)) or {}
    return void_of_hold(hold, transaction) or OutcomeUnknown("not_voided_yet")


async def _end_order(
    talk: Conversation, transaction: PaymentTransaction, now: Callable[[], datetime]
) -> Outcome:
    """PayPal cannot cancel an order, so it is turned into one that our completion cannot take.

    Where PayPal refuses that, the order has ended once no completion of ours can be under
    way any more: none is sent after this void was recorded, and a `horizon` later none
    that was sent before can arrive.
    """
    order_id = reference(transaction.parent_reference)
    order = await talk.ask(requests.order_query(order_id))
    if order is None:
        taken = await talk.ask(requests.capture_query(order_id))
        return Declined("already_captured" if taken else "no_such_payment")
    ended = void_of_order(order, transaction)
    if ended is not None:
        return ended
    # Whatever the answer: what the order shows afterwards is what counts.
    await talk.change(requests.order_disarming(order, transaction))
    order = await talk.ask(requests.order_query(order_id)) or {}
    ended = void_of_order(order, transaction)
    if ended is not None:
        return ended
    if order and now() >= transaction.recorded_at + transaction.horizon:
        return Succeeded(order_id, transaction.amount, transaction.id)
    return OutcomeUnknown("completion_may_be_under_way")
