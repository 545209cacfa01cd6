"""Charge and authorization: first an order, which moves no money, then its completion."""

from order_core.outcomes import (
    ActionRequired,
    Continue,
    Declined,
    Outcome,
    OutcomeUnknown,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_paypal import requests
from order_paypal.amounts import written
from order_paypal.answers import (
    BuyerMustAct,
    DoneBefore,
    captured,
    held,
    most_telling,
    payments,
    refusal,
    transaction_of,
)
from order_paypal.conversation import Conversation
from order_paypal.identifiers import ApprovedOrder, BadReference, reference, token
from order_paypal.reading import Json, each, link, text
from order_paypal.requests import INTENTS


async def pay(talk: Conversation, transaction: PaymentTransaction) -> Outcome:
    """Send the step of the charge or authorization that is due."""
    if transaction.step > 1:
        return await _complete(talk, transaction)
    method = token(transaction.token or "")
    if isinstance(method, ApprovedOrder):
        return await _adopt(talk, transaction, method.order_id)
    return await _create(talk, transaction)


async def _create(talk: Conversation, transaction: PaymentTransaction) -> Outcome:
    answer = await talk.change(requests.order_creation(transaction))
    if answer.is_success:
        try:
            return Continue(reference(text(answer.body, "id")))
        except BadReference:
            return OutcomeUnknown("unreadable_answer")
    try:
        return refusal(answer)
    except (BuyerMustAct, DoneBefore):
        return OutcomeUnknown("unexpected_refusal")


# An order that the shop's page made -------------------------------------------------------


async def _adopt(talk: Conversation, transaction: PaymentTransaction, order_id: str) -> Outcome:
    order = await talk.ask(requests.order_query(order_id))
    if order and (payments(order, "captures") or payments(order, "authorizations")):
        # By an earlier send of ours, or by the page itself: not for us to call a decline.
        return OutcomeUnknown("order_already_completed", answered=True)
    refused = _not_fit(order, transaction)
    if order is None or refused:
        return Declined(refused or "no_such_order")
    (unit,) = each(order, "purchase_units")
    mark = transaction_of({"custom_id": unit.get("custom_id")})
    if mark not in {"", transaction.id}:
        return Declined("order_belongs_to_another_payment")
    if not mark:
        answer = await talk.change(requests.order_marking(order, transaction))
        if not answer.is_success:
            try:
                return refusal(answer)
            except (BuyerMustAct, DoneBefore):
                return OutcomeUnknown("order_cannot_be_marked")
    if text(order, "status") in {"CREATED", "SAVED", "PAYER_ACTION_REQUIRED"}:
        return _ask_buyer(order_id, order)
    return Continue(order_id)


def _not_fit(order: Json | None, transaction: PaymentTransaction) -> str | None:
    """Why the order is not the one that the buyer should have approved."""
    units = list(each(order, "purchase_units"))
    if order is None or len(units) != 1:
        return "no_such_order"
    if text(order, "status") == "VOIDED":
        return "order_voided"
    if text(order, "intent") != INTENTS[transaction.kind]:
        return "order_has_another_intent"
    ours = written(transaction.amount)
    if text(units[0], "amount", "currency_code") != ours["currency_code"]:
        return "order_has_another_currency"
    if not _same_value(text(units[0], "amount", "value"), ours["value"]):
        return "order_has_another_amount"
    return None


def _same_value(theirs: str, ours: str) -> bool:
    # PayPal may write 500 yen as 500.00.
    whole, _, fraction = theirs.partition(".")
    return theirs == ours or (whole == ours and not fraction.strip("0"))


def _ask_buyer(order_id: str, *shown: Json) -> Outcome:
    for links in shown:
        url = link(links, "payer-action", "approve")
        if url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            return ActionRequired(order_id, url)
    return OutcomeUnknown("no_page_for_the_buyer")


# The step that takes or holds the money ---------------------------------------------------


async def _complete(talk: Conversation, transaction: PaymentTransaction) -> Outcome:
    order_id = reference(transaction.provider_reference)
    answer = await talk.change(requests.order_completion(transaction))
    if answer.is_success:
        return _completed(order_id, answer.body or {}, transaction)
    try:
        return refusal(answer)
    except BuyerMustAct as refused:
        if link(refused.links, "payer-action", "approve"):
            return _ask_buyer(order_id, refused.links)
        order = await talk.ask(requests.order_query(order_id))
        return _ask_buyer(order_id, order or {})
    except DoneBefore as refused:
        order = await talk.ask(requests.order_query(order_id))
        paid = outcome_of(order or {}, order_id, transaction.kind)
        return paid or OutcomeUnknown(f"done_before:{refused.issue}", answered=True)


def _completed(order_id: str, order: Json, transaction: PaymentTransaction) -> Outcome:
    if text(order, "status") == "PAYER_ACTION_REQUIRED":
        return _ask_buyer(order_id, order)
    paid = outcome_of(order, order_id, transaction.kind)
    return paid or OutcomeUnknown("unreadable_answer")


def outcome_of(order: Json, order_id: str, kind: TransactionKind) -> Outcome | None:
    """What was paid with the order, or held; None if nothing was tried."""
    if kind is TransactionKind.CHARGE:
        return most_telling(
            captured(capture, pending_as=order_id) for capture in payments(order, "captures")
        )
    return most_telling(
        held(authorization, pending_as=order_id)
        for authorization in payments(order, "authorizations")
    )


def waiting(order: Json, order_id: str) -> Outcome:
    """The order still waits for its buyer."""
    return _ask_buyer(order_id, order)
