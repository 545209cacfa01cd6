"""What PayPal has on record about a movement of ours. Nothing here moves anything."""

from typing import Final

from order_core.immutable import replace
from order_core.outcomes import Continue, Declined, NotFound, Outcome, OutcomeUnknown, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_paypal import requests
from order_paypal.answers import (
    captured,
    given_back,
    held,
    most_telling,
    payments,
    transaction_of,
)
from order_paypal.conversation import Conversation
from order_paypal.identifiers import ApprovedOrder, token
from order_paypal.paying import outcome_of, waiting
from order_paypal.reading import Json, link, text
from order_paypal.requests import INTENTS
from order_paypal.voided import void_of_hold, void_of_order

_CAPTURED: Final = frozenset({"CAPTURED", "PARTIALLY_CAPTURED"})


async def payment_on_record(
    talk: Conversation, transaction: PaymentTransaction
) -> Outcome | NotFound:
    """Look up a charge or authorization."""
    reference = transaction.provider_reference
    if reference is None:
        # The step that moves money is sent only once the order's id is stored.
        return await _paid_at_the_page(talk, transaction)
    order = await talk.ask(requests.order_query(reference))
    if order is None:
        return await _by_id_of_payment(talk, transaction)
    paid = outcome_of(order, reference, transaction.kind)
    if paid is not None:
        return paid
    status = text(order, "status")
    if text(order, "intent") not in {INTENTS[transaction.kind], ""} or status == "VOIDED":
        return Declined("voided")
    if status == "PAYER_ACTION_REQUIRED":
        return waiting(order, reference)
    if transaction.status is not TransactionStatus.ACTION_REQUIRED:
        return NotFound()
    # The buyer's approval moves nothing by itself: the completion is due once more.
    return Continue(reference) if status == "APPROVED" else waiting(order, reference)


async def _paid_at_the_page(
    talk: Conversation, transaction: PaymentTransaction
) -> Outcome | NotFound:
    """What the shop's page did by itself with the order that it made.

    It is no payment that we asked for, but the buyer's money all the same.
    """
    method = token(transaction.token) if transaction.token else None
    if not isinstance(method, ApprovedOrder):
        return NotFound()
    order = await talk.ask(requests.order_query(method.order_id)) or {}
    paid = (outcome_of(order, method.order_id, kind) for kind in INTENTS)
    # The page's try that was refused is not the last one, and says nothing about ours.
    live = (outcome for outcome in paid if outcome and not isinstance(outcome, Declined))
    return most_telling(live) or NotFound()


async def _by_id_of_payment(
    talk: Conversation, transaction: PaymentTransaction
) -> Outcome | NotFound:
    reference = transaction.provider_reference
    if transaction.kind is TransactionKind.CHARGE:
        capture = await talk.ask(requests.capture_query(reference))
        return NotFound() if capture is None else captured(capture, pending_as=reference or "")
    hold = await talk.ask(requests.authorization_query(reference))
    if hold is None:
        return NotFound()
    if transaction.status is TransactionStatus.AUTHORIZED and text(hold, "status") in _CAPTURED:
        return await _taken_of(talk, hold, transaction)
    return held(hold, pending_as=reference or "")


async def _taken_of(talk: Conversation, hold: Json, transaction: PaymentTransaction) -> Outcome:
    # PayPal goes on showing a captured hold; without this it would pass for one that is held.
    # The capture may be ours, or the dashboard's, which nobody may have told us.
    order = await _order_behind(talk, hold)
    for capture in payments(order or {}, "captures"):
        taken = captured(capture, pending_as="")
        # Within an order, a capture names its hold only in a link.
        _, _, of = link(capture, "up").rpartition("/")
        if isinstance(taken, Succeeded) and of == text(hold, "id"):
            return replace(taken, transaction_id=transaction.id)
    return OutcomeUnknown("capture_not_shown")


async def capture_on_record(
    talk: Conversation, transaction: PaymentTransaction
) -> Outcome | NotFound:
    """Look up the capture of a hold."""
    if transaction.provider_reference is not None:
        capture = await talk.ask(requests.capture_query(transaction.provider_reference))
        if capture is not None:
            return captured(capture, pending_as=text(capture, "id"), by_invoice=True)
    hold = await talk.ask(requests.authorization_query(transaction.parent_reference))
    order = await _order_behind(talk, hold)
    if order is None:
        return NotFound() if hold is None else OutcomeUnknown("order_not_shown")
    for capture in payments(order, "captures"):
        if transaction_of(capture, by_invoice=True) == transaction.id:
            return captured(capture, pending_as=text(capture, "id"), by_invoice=True)
    return NotFound()


async def refund_on_record(
    talk: Conversation, transaction: PaymentTransaction
) -> Outcome | NotFound:
    """Look up a refund."""
    if transaction.provider_reference is not None:
        refund = await talk.ask(requests.refund_query(transaction.provider_reference))
        if refund is not None:
            return given_back(refund)
    taken = await talk.ask(requests.capture_query(transaction.parent_reference))
    order = await _order_behind(talk, taken)
    if order is None:
        return NotFound() if taken is None else OutcomeUnknown("order_not_shown")
    for refund in payments(order, "refunds"):
        if transaction_of(refund) == transaction.id:
            return given_back(refund)
    return NotFound()


async def void_on_record(talk: Conversation, transaction: PaymentTransaction) -> Outcome | NotFound:
    """Look up the void of a hold or of an order."""
    hold = await talk.ask(requests.authorization_query(transaction.parent_reference))
    if hold is not None:
        return void_of_hold(hold, transaction) or NotFound()
    order = await talk.ask(requests.order_query(transaction.parent_reference))
    if order is None:
        return NotFound()
    return void_of_order(order, transaction) or NotFound()


async def _order_behind(talk: Conversation, payment: Json | None) -> Json | None:
    order_id = text(payment, "supplementary_data", "related_ids", "order_id")
    return await talk.ask(requests.order_query(order_id)) if order_id else None
