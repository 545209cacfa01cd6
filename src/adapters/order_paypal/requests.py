"""A recorded movement as requests to PayPal: built from the record alone, so equal each time."""

import re
from typing import Final

from order_core.payment import PaymentTransaction, TransactionKind
from order_paypal.amounts import written
from order_paypal.api import ApiRequest
from order_paypal.identifiers import (
    ApprovedOrder,
    BadReference,
    Vaulted,
    custom_id,
    reference,
    token,
)
from order_paypal.reading import Json, each, text

INTENTS: Final = {TransactionKind.CHARGE: "CAPTURE", TransactionKind.AUTHORIZATION: "AUTHORIZE"}
_LONGEST_DESCRIPTION: Final = 127
_UNIT_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,256}")


def order_creation(transaction: PaymentTransaction) -> ApiRequest:
    """Step 1 with a vaulted payment method: an order, which moves no money.

    The payment method is left out: with it PayPal would pay at once, and an answer that got
    lost would leave us without an id to ask about.
    """
    unit = {
        "reference_id": "default",
        "description": f"Order {transaction.order_id}"[:_LONGEST_DESCRIPTION],
        "custom_id": custom_id(transaction),
        "invoice_id": transaction.id,
        "amount": written(transaction.amount),
    }
    body = {"intent": INTENTS[transaction.kind], "purchase_units": [unit]}
    return ApiRequest("POST", "/v2/checkout/orders", body, transaction.key)


def order_completion(transaction: PaymentTransaction) -> ApiRequest:
    """The later step: capture or authorize the order of step 1."""
    order_id = reference(transaction.provider_reference)
    verb = "capture" if transaction.kind is TransactionKind.CHARGE else "authorize"
    return ApiRequest(
        "POST", f"/v2/checkout/orders/{order_id}/{verb}", _payment(transaction), transaction.key
    )


def _payment(transaction: PaymentTransaction) -> dict[str, object]:
    method = token(transaction.token or "")
    # From step 3 on the buyer has approved the order, which then has its payment method.
    if isinstance(method, ApprovedOrder) or transaction.step > 2:  # noqa: PLR2004
        return {}
    return {"payment_source": {method.source: _source(method, transaction.return_url)}}


def _source(method: Vaulted, return_url: str | None) -> dict[str, object]:
    source: dict[str, object] = {"vault_id": method.vault_id}
    if return_url:
        source["experience_context"] = {"return_url": return_url, "cancel_url": return_url}
    return source


def order_query(order_id: str | None) -> ApiRequest:
    """What PayPal has on record about an order and everything that was paid with it."""
    return ApiRequest("GET", f"/v2/checkout/orders/{reference(order_id)}")


def order_marking(order: Json, transaction: PaymentTransaction) -> ApiRequest:
    """Write our mark on an order that the shop's page made without one."""
    patch = {"op": "add", "path": _path_of_mark(order), "value": custom_id(transaction)}
    return ApiRequest("PATCH", f"/v2/checkout/orders/{reference(text(order, 'id'))}", [patch])


def order_disarming(order: Json, void: PaymentTransaction) -> ApiRequest:
    """Make an order refuse the completion that it was made for; PayPal cannot cancel it.

    An order completes only by the verb of its intent. With the other intent, and the mark of
    the void, a late request of ours is refused, and anybody can see why.
    """
    other = "AUTHORIZE" if text(order, "intent") == "CAPTURE" else "CAPTURE"
    patches = [
        {"op": "replace", "path": "/intent", "value": other},
        {"op": "replace", "path": _path_of_mark(order), "value": custom_id(void)},
    ]
    return ApiRequest("PATCH", f"/v2/checkout/orders/{reference(text(order, 'id'))}", patches)


def _path_of_mark(order: Json) -> str:
    unit_id = next((text(unit, "reference_id") for unit in each(order, "purchase_units")), "")
    if not _UNIT_ID.fullmatch(unit_id or "default"):
        raise BadReference("not a purchase unit that a patch can name")
    return f"/purchase_units/@reference_id=='{unit_id or 'default'}'/custom_id"


def authorization_query(authorization_id: str | None) -> ApiRequest:
    """What PayPal has on record about a hold."""
    return ApiRequest("GET", f"/v2/payments/authorizations/{reference(authorization_id)}")


def capture_query(capture_id: str | None) -> ApiRequest:
    """What PayPal has on record about money that was taken."""
    return ApiRequest("GET", f"/v2/payments/captures/{reference(capture_id)}")


def refund_query(refund_id: str | None) -> ApiRequest:
    """What PayPal has on record about money that was given back."""
    return ApiRequest("GET", f"/v2/payments/refunds/{reference(refund_id)}")


def authorization_capture(transaction: PaymentTransaction) -> ApiRequest:
    """Take held money. What is not taken now is let go.

    PayPal hands the hold's `custom_id` down to the capture; only the `invoice_id` is new.
    """
    body = {
        "amount": written(transaction.amount),
        "invoice_id": transaction.id,
        "final_capture": True,
    }
    path = f"/v2/payments/authorizations/{reference(transaction.parent_reference)}/capture"
    return ApiRequest("POST", path, body, transaction.key)


def authorization_void(transaction: PaymentTransaction) -> ApiRequest:
    """Let held money go. PayPal takes neither a body nor a key here."""
    path = f"/v2/payments/authorizations/{reference(transaction.parent_reference)}/void"
    return ApiRequest("POST", path)


def refund(transaction: PaymentTransaction) -> ApiRequest:
    """Give money back, as much as the transaction says."""
    body = {
        "amount": written(transaction.amount),
        "custom_id": custom_id(transaction),
        "invoice_id": transaction.id,
    }
    path = f"/v2/payments/captures/{reference(transaction.parent_reference)}/refund"
    return ApiRequest("POST", path, body, transaction.key)
