"""What a PaymentIntent or a refund, as Stripe shows it, means for a movement of money.

Every function takes the object as plain JSON, and raises `Unreadable` where it is not
what Stripe documents: that is never a "no".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Declined,
    NotFound,
    Outcome,
    OutcomeUnknown,
    Pending,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_stripe.amounts import read
from order_stripe.reasons import decline_reason
from order_stripe.requests import BadReference, intent_id, refund_id

Json = Mapping[str, Any]


class Unreadable(ValueError):
    """Stripe's object is not as documented."""


def of_payment(intent: Json) -> Outcome:
    """What the intent says about the charge or authorization that made it."""
    reference = _intent_id(intent)
    match intent.get("status"):
        case "succeeded":
            return _taken(intent, reference)
        case "requires_capture":
            held = money(intent, "amount_capturable")
            return Authorized(reference, held, metadata(intent, "transaction_id"), _ends(intent))
        case "processing":
            return Pending(reference)
        case "requires_action":
            return action_required(intent)
        case "canceled":
            return Declined(_why_canceled(intent), reference=reference)
        case "requires_payment_method" | "requires_confirmation" as status:
            # Whoever has the client secret can still confirm it, so it is not dead.
            return OutcomeUnknown(f"intent_{status}")
    return OutcomeUnknown("intent_in_unknown_status")


def action_required(intent: Json) -> ActionRequired:
    """The buyer must act."""
    action = intent.get("next_action")
    redirect = action.get("redirect_to_url") if isinstance(action, Mapping) else None
    url = redirect.get("url") if isinstance(redirect, Mapping) else None
    secret = intent.get("client_secret")
    return ActionRequired(
        _intent_id(intent),
        url=url if isinstance(url, str) else None,
        client_secret=secret if isinstance(secret, str) else None,
    )


def of_capture(intent: Json, transaction: PaymentTransaction) -> Outcome | NotFound:
    """What the intent says about our capture of it. Stripe captures an intent once."""
    reference = _intent_id(intent)
    match intent.get("status"):
        case "succeeded" if metadata(intent, "capture_id") == transaction.id:
            return Succeeded(reference, money(intent, "amount_received"), transaction.id)
        case "succeeded":
            return Declined("already_captured", reference=reference)
        case "canceled":
            return Declined("authorization_ended", reference=reference)
        case "requires_capture":
            return NotFound()
    return OutcomeUnknown("intent_in_unexpected_status")


def of_void(intent: Json, transaction: PaymentTransaction) -> Outcome | NotFound:
    """What the intent says about our wish to give it up."""
    reference = _intent_id(intent)
    match intent.get("status"):
        case "canceled":
            return Succeeded(reference, money(intent, "amount"), transaction.id)
        case "succeeded":
            return Declined("already_captured", reference=reference)
        case str():
            return NotFound()
    raise Unreadable("intent without a status")


def of_refund(refund: Json) -> Outcome:
    """What the refund says."""
    try:
        reference = refund_id(refund.get("id"))
    except BadReference as error:
        raise Unreadable(str(error)) from error
    match refund.get("status"):
        case "succeeded":
            amount = money(refund, "amount")
            return Succeeded(reference, amount, metadata(refund, "transaction_id"))
        case "pending" | "requires_action":
            return Pending(reference)
        case "failed" | "canceled" as status:
            reason = refund.get("failure_reason")
            word = decline_reason(reason) if reason else f"refund_{status}"
            return Declined(word, retryable=True, reference=reference)
    return OutcomeUnknown("refund_in_unknown_status")


def metadata(shown: Json, name: str) -> str:
    """Our own word on the object; empty if it is not there."""
    stored = shown.get("metadata")
    word = stored.get(name) if isinstance(stored, Mapping) else None
    return word if isinstance(word, str) else ""


def money(shown: Json, field: str) -> Money:
    """The amount in `field`."""
    number, currency = shown.get(field), shown.get("currency")
    if type(number) is not int or not isinstance(currency, str):
        raise Unreadable(f"no {field}")
    try:
        return read(number, currency)
    except ValueError as error:
        raise Unreadable(str(error)) from error


def of_movement(intent: Json, transaction: PaymentTransaction) -> Outcome | NotFound:
    """What the intent says about `transaction`, whichever of its kinds."""
    match transaction.kind:
        case TransactionKind.CAPTURE:
            return of_capture(intent, transaction)
        case TransactionKind.VOID:
            return of_void(intent, transaction)
        case TransactionKind.AUTHORIZATION:
            return of_authorization(intent)
    return of_payment(intent)


def of_authorization(intent: Json) -> Outcome:
    """Like `of_payment`; but what we captured since was, first of all, held as we wished."""
    if intent.get("status") == "succeeded" and metadata(intent, "capture_id"):
        held = money(intent, "amount")
        return Authorized(_intent_id(intent), held, metadata(intent, "transaction_id"))
    return of_payment(intent)


def _taken(intent: Json, reference: str) -> Succeeded:
    received = money(intent, "amount_received")
    return Succeeded(reference, received, metadata(intent, "transaction_id"))


def _intent_id(intent: Json) -> str:
    try:
        return intent_id(intent.get("id"))
    except BadReference as error:
        raise Unreadable(str(error)) from error


def _ends(intent: Json) -> datetime | None:
    """When the hold ends by itself; only an expanded charge shows it."""
    shown: Any = intent
    for name in ("latest_charge", "payment_method_details", "card", "capture_before"):
        shown = shown.get(name) if isinstance(shown, Mapping) else None
    return datetime.fromtimestamp(shown, UTC) if type(shown) is int else None


def _why_canceled(intent: Json) -> str:
    last = intent.get("last_payment_error")
    if isinstance(last, Mapping) and (last.get("decline_code") or last.get("code")):
        return decline_reason(last.get("decline_code") or last.get("code"))
    # "automatic": Stripe let the hold go because nobody captured it in time.
    return "authorization_expired" if intent.get("cancellation_reason") == "automatic" else "voided"
