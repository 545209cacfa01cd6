"""The life of a PaymentIntent."""

from typing import Final

from order_emulators.stripe.amounts import check_amount
from order_emulators.stripe.books import Books, Json
from order_emulators.stripe.cards import Card, card
from order_emulators.stripe.disputes import dispute
from order_emulators.stripe.form import Form, integer, metadata, one_of, only, text
from order_emulators.stripe.refusals import Refusal, conflict, invalid, missing

_CREATE: Final = {
    "amount",
    "capture_method",
    "confirm",
    "currency",
    "customer",
    "description",
    "error_on_requires_action",
    "expand",
    "metadata",
    "off_session",
    "payment_method",
    "payment_method_data",
    "payment_method_types",
    "receipt_email",
    "return_url",
    "statement_descriptor",
    "statement_descriptor_suffix",
}
_CONFIRM: Final = ("expand", "payment_method", "payment_method_data", "return_url")
_HOLD_SECONDS: Final = 7 * 24 * 3600
_CANCELABLE: Final = {
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "requires_capture",
}
_REASONS: Final = ("requested_by_customer", "abandoned", "duplicate", "fraudulent")


def create(books: Books, form: Form) -> Json:
    """`POST /v1/payment_intents`."""
    only(form, _CREATE)
    amount, currency = integer(form, "amount"), text(form, "currency") or ""
    check_amount(amount, currency)
    confirms = one_of(form, "confirm", ("true", "false"), "false") == "true"
    if "return_url" in form and not confirms:
        raise invalid("return_url needs confirm=true", param="return_url")
    if form.get("payment_method_types", {"0": "card"}) != {"0": "card"}:
        raise invalid("only cards are emulated", param="payment_method_types")
    intent_id = books.new_id("pi")
    intent: Json = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": one_of(
            form, "capture_method", ("automatic", "automatic_async", "manual"), "automatic_async"
        ),
        "client_secret": f"{intent_id}_secret_Em{intent_id[-6:]}",
        "confirmation_method": "automatic",
        "created": books.now(),
        "currency": currency,
        "customer": text(form, "customer"),
        "description": text(form, "description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata(form),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "processing": None,
        "status": "requires_payment_method",
    }
    method = _method(books, form)
    books.intents[intent_id] = intent
    books.tell("payment_intent.created", intent)
    if confirms:
        _try(books, intent, method, form)
    elif method:
        intent.update(payment_method=method, status="requires_confirmation")
    return intent


def confirm(books: Books, intent: Json, form: Form) -> Json:
    """`POST /v1/payment_intents/{id}/confirm`."""
    only(form, _CONFIRM)
    if intent["status"] not in {"requires_payment_method", "requires_confirmation"}:
        raise _unexpected(intent, "confirmed")
    method = _method(books, form) or intent["payment_method"]
    _try(books, intent, method, form)
    return intent


def capture(books: Books, intent: Json, form: Form) -> Json:
    """`POST /v1/payment_intents/{id}/capture`: once; what is not taken is let go."""
    only(form, ("amount_to_capture", "expand", "metadata"))
    if intent["status"] != "requires_capture":
        raise _unexpected(intent, "captured")
    amount = integer(form, "amount_to_capture", intent["amount_capturable"])
    if not 0 < amount <= intent["amount_capturable"]:
        raise conflict(
            "amount_too_large",
            "The amount to capture is greater than the amount you can capture.",
            param="amount_to_capture",
        )
    intent["metadata"].update(metadata(form))
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
    books.charge_of(intent).update(captured=True, amount_captured=amount)
    books.tell("charge.captured", books.charge_of(intent))
    books.tell("payment_intent.succeeded", intent)
    return intent


def cancel(books: Books, intent: Json, form: Form) -> Json:
    """`POST /v1/payment_intents/{id}/cancel`."""
    only(form, ("cancellation_reason", "expand"))
    reason = one_of(form, "cancellation_reason", _REASONS, _REASONS[0])
    if intent["status"] not in _CANCELABLE:
        raise _unexpected(intent, "canceled")
    _end(books, intent, reason if "cancellation_reason" in form else None)
    return intent


def expire(books: Books, intent: Json) -> None:
    """A hold that nobody captured ends by itself."""
    if intent["status"] == "requires_capture":
        held = books.charge_of(intent)["payment_method_details"]["card"]
        if books.now() >= held["capture_before"]:
            _end(books, intent, "automatic")


def buyer_approves(books: Books, intent: Json) -> None:
    """The buyer passes 3-D Secure; also after a try that failed."""
    _pay(books, intent, Card(), intent["payment_method"])


def buyer_refuses(books: Books, intent: Json) -> None:
    """The buyer fails 3-D Secure; he may try again."""
    intent.update(
        status="requires_payment_method",
        next_action=None,
        last_payment_error={
            "type": "invalid_request_error",
            "code": "payment_intent_authentication_failure",
            "message": "The provided PaymentMethod has failed authentication.",
        },
    )
    books.tell("payment_intent.payment_failed", intent)


def _method(books: Books, form: Form) -> str | None:
    """The payment method or the token that the request names."""
    method = text(form, "payment_method")
    data = form.get("payment_method_data")
    if data is not None:
        token = data.get("card", {}).get("token") if isinstance(data, dict) else None
        if not isinstance(token, str) or method or data.get("type") != "card":
            raise invalid("Invalid payment_method_data", param="payment_method_data")
        if card(token) is None:
            raise missing("token", token, "payment_method_data[card][token]", 400)
        if token in books.used:
            raise conflict(
                "token_already_used",
                f"You cannot use a Stripe token more than once: {token}.",
                param="payment_method_data[card][token]",
            )
        return token
    if method and (method.startswith("tok_") or card(method) is None):
        raise missing("PaymentMethod", method, "payment_method", 400)
    if method in books.used:
        raise Refusal(
            400,
            {
                "type": "invalid_request_error",
                "message": "The provided PaymentMethod was previously used with a PaymentIntent "
                "without Customer attachment. It may not be used again.",
            },
        )
    return method


def _try(books: Books, intent: Json, method: str | None, form: Form) -> None:
    if method is None:
        raise _unexpected(intent, "confirmed")
    behaviour = card(method) or Card()
    intent["payment_method"] = method
    if behaviour.pays_once and intent["customer"] is None:
        books.used.add(method)
    if behaviour.asks_buyer and "true" in {
        form.get("off_session"),
        form.get("error_on_requires_action"),
    }:
        behaviour = Card("authentication_required", "authentication_required")
    if behaviour.asks_buyer:
        action = _action(intent, text(form, "return_url"))
        intent.update(status="requires_action", next_action=action)
        books.tell("payment_intent.requires_action", intent)
        return
    _pay(books, intent, behaviour, method)


def _pay(books: Books, intent: Json, behaviour: Card, method: str) -> None:
    charge = _charge(books, intent, behaviour, method)
    intent.update(latest_charge=charge["id"], next_action=None, last_payment_error=None)
    if behaviour.code:
        error = {
            "type": "card_error",
            "code": behaviour.code,
            "decline_code": behaviour.decline_code,
            "message": "Your card was declined.",
            "charge": charge["id"],
        }
        intent.update(status="requires_payment_method", last_payment_error=error)
        books.tell("charge.failed", charge)
        books.tell("payment_intent.payment_failed", intent)
        raise Refusal(402, {**error, "payment_intent": {**intent}})
    if intent["capture_method"] == "manual":
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        books.tell("payment_intent.amount_capturable_updated", intent)
        return
    intent.update(status="succeeded", amount_received=intent["amount"])
    books.tell("charge.succeeded", charge)
    books.tell("payment_intent.succeeded", intent)
    if behaviour.disputed_as:
        dispute(books, charge, behaviour.disputed_as)


def _charge(books: Books, intent: Json, behaviour: Card, method: str) -> Json:
    paid, manual = behaviour.code is None, intent["capture_method"] == "manual"
    charge_id = books.new_id("ch")
    shown = {"brand": "visa", "exp_month": 12, "exp_year": 2034, "last4": "4242"}
    if manual and paid:
        shown["capture_before"] = books.now() + _HOLD_SECONDS
    charge: Json = {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid and not manual else 0,
        "amount_refunded": 0,
        "balance_transaction": books.new_id("txn") if paid else None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": paid and not manual,
        "created": books.now(),
        "currency": intent["currency"],
        "disputed": False,
        "failure_code": behaviour.code,
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method,
        "payment_method_details": {"type": "card", "card": shown},
        "refunded": False,
        "status": "succeeded" if paid else "failed",
    }
    books.charges[charge_id] = charge
    return charge


def _action(intent: Json, return_url: str | None) -> Json:
    if return_url is None:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    url = f"https://hooks.stripe.example/3d_secure/{intent['id']}"
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"url": url, "return_url": return_url},
    }


def _end(books: Books, intent: Json, reason: str | None) -> None:
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=books.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    books.tell("payment_intent.canceled", intent)


def _unexpected(intent: Json, verb: str) -> Refusal:
    return conflict(
        "payment_intent_unexpected_state",
        f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}.",
        payment_intent={**intent},
    )
