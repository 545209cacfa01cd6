"""What each error of Stripe's SDK means for a movement of money."""

from collections.abc import Mapping
from typing import Any, Final

import stripe

from order_core.outcomes import (
    Declined,
    InProgress,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RateLimited,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_stripe.answers import Json, Unreadable, action_required, of_movement, of_payment
from order_stripe.http_client import NeverSent
from order_stripe.reasons import decline_reason, is_retryable

_CONFLICT: Final = 409
_MOST_PATIENCE: Final = 3600.0

# Refused before anything was made. Other refusals ("this payment method was used before") may
# be the echo of a payment that happened, so they are questions.
_PAYMENT_REFUSED: Final = frozenset(
    {
        "amount_too_large",
        "amount_too_small",
        "currency_not_supported",
        "invalid_currency",
        "parameter_invalid_empty",
        "parameter_invalid_integer",
        "parameter_missing",
        "parameter_unknown",
        "payment_method_invalid_parameter",
        "payment_method_not_available",
        "payment_method_currency_mismatch",
        "url_invalid",
    }
)
_REFUND_REFUSED: Final = frozenset(
    {
        "amount_too_large",
        "amount_too_small",
        "charge_already_refunded",
        "charge_disputed",
        "charge_not_refundable",
        "refund_disputed_payment",
    }
)


def outcome_of(error: stripe.StripeError, transaction: PaymentTransaction) -> Outcome:
    """The one outcome that follows from `error`. Text of Stripe's is never in it."""
    match error:
        case NeverSent():
            return NotSent("no_connection")
        case stripe.APIConnectionError():
            return OutcomeUnknown("no_answer")
        case stripe.RateLimitError():
            return RateLimited(_retry_after(error))
        case stripe.AuthenticationError() | stripe.PermissionError():
            return NotSent("misconfigured")
        case stripe.IdempotencyError():
            return OutcomeUnknown("key_reused_with_another_request", answered=True)
        case stripe.CardError():
            return _card_said_no(error, transaction)
        case stripe.InvalidRequestError():
            return _refused(error, transaction)
    if error.http_status == _CONFLICT and _details(error).get("code") == "idempotency_key_in_use":
        return InProgress()
    return OutcomeUnknown(f"answer_{error.http_status or 'none'}")


def intent_in(error: stripe.StripeError) -> Json | None:
    """The intent as the error shows it."""
    intent = _details(error).get("payment_intent")
    return intent if isinstance(intent, Mapping) else None


def is_missing(error: stripe.StripeError) -> bool:
    """Whether Stripe has no object of this id in this account and mode."""
    return _details(error).get("code") == "resource_missing"


def _card_said_no(error: stripe.CardError, transaction: PaymentTransaction) -> Outcome:
    details = _details(error)
    code = details.get("decline_code") or details.get("code")
    intent = intent_in(error)
    no = Declined(decline_reason(code), is_retryable(code))
    if not transaction.takes_money:
        return no
    if intent is None:
        # Without its intent nobody knows whether the object is dead.
        return OutcomeUnknown("declined_without_its_intent", answered=True)
    try:
        if intent.get("status") != "requires_payment_method":
            return of_payment(intent)
        if code == "authentication_required":
            return action_required(intent)
        # Nobody has its client secret, so nobody can confirm it any more.
        return Declined(no.reason, no.retryable, action_required(intent).reference)
    except Unreadable:
        return OutcomeUnknown("unreadable_answer")


def _refused(error: stripe.InvalidRequestError, transaction: PaymentTransaction) -> Outcome:
    details = _details(error)
    code = details.get("code")
    intent = intent_in(error)
    if intent is not None:
        return _by_its_state(intent, transaction, code)
    if transaction.takes_money:
        named = str(details.get("param", "")).startswith("payment_method")
        if code == "resource_missing" and named:
            return Declined("no_such_payment_method")
        return _no_or_unknown(code, _PAYMENT_REFUSED)
    if transaction.kind is TransactionKind.REFUND:
        if details.get("param") == "amount":
            return Declined("amount_too_large")
        return _no_or_unknown(code, _REFUND_REFUSED)
    return _refused_unclearly(code)


def _by_its_state(intent: Json, transaction: PaymentTransaction, code: object) -> Outcome:
    try:
        outcome = of_movement(intent, transaction)
    except Unreadable:
        return OutcomeUnknown("unreadable_answer")
    return _refused_unclearly(code) if outcome == NotFound() else outcome  # type: ignore[return-value]  # mypy does not narrow by ==


def _no_or_unknown(code: object, certain: frozenset[str]) -> Outcome:
    return Declined(str(code)) if code in certain else _refused_unclearly(code)


def _refused_unclearly(code: object) -> OutcomeUnknown:
    return OutcomeUnknown(f"refused_{decline_reason(code)}", answered=True)


def _details(error: stripe.StripeError) -> Mapping[str, Any]:
    body = error.json_body
    details = body.get("error") if isinstance(body, Mapping) else None
    return details if isinstance(details, Mapping) else {}


def _retry_after(error: stripe.StripeError) -> float | None:
    text = (error.headers or {}).get("retry-after", "")
    return min(float(text), _MOST_PATIENCE) if text.isascii() and text.isdecimal() else None
