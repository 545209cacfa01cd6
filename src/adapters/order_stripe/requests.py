"""From a recorded movement to the parameters of its request."""

import re
from typing import Any, Final

from order_core.payment import PaymentTransaction, TransactionKind
from order_stripe.amounts import checked

VERSION: Final = "1"
"""Changes whenever the same record would give another request."""

_INTENT: Final = re.compile(r"pi_[A-Za-z0-9_]{1,200}", re.ASCII)
_REFUND: Final = re.compile(r"(re|pyr)_[A-Za-z0-9_]{1,200}", re.ASCII)

Params = dict[str, Any]


class BadReference(ValueError):
    """This is no id of Stripe's, and must not get into an address."""


def intent_id(reference: object) -> str:
    """`reference`, if it is a PaymentIntent's id.

    Raises:
        BadReference: it is not. An empty id would address the list, `..` another object.
    """
    if not isinstance(reference, str) or not _INTENT.fullmatch(reference):
        raise BadReference("not the id of a PaymentIntent")
    return reference


def refund_id(reference: object) -> str:
    """`reference`, if it is a refund's id.

    Raises:
        BadReference: it is not.
    """
    if not isinstance(reference, str) or not _REFUND.fullmatch(reference):
        raise BadReference("not the id of a refund")
    return reference


def payment(transaction: PaymentTransaction) -> Params:
    """Create a PaymentIntent and confirm it at once."""
    params: Params = {
        "amount": checked(transaction.amount),
        "currency": transaction.amount.currency.lower(),
        "confirm": True,
        "payment_method_types": ["card"],
        "metadata": _metadata(transaction),
        # The date until which a hold lasts stands on the charge.
        "expand": ["latest_charge"],
        **_method(transaction.token or ""),
    }
    if transaction.kind is TransactionKind.AUTHORIZATION:
        params["capture_method"] = "manual"
    if transaction.return_url:
        params["return_url"] = transaction.return_url
    return params


def capture(transaction: PaymentTransaction) -> Params:
    """Take what is held, or a part of it; the rest is let go."""
    return {
        "amount_to_capture": checked(transaction.amount),
        # The intent's `transaction_id` names the authorization, so the capture has its own.
        "metadata": {"capture_id": transaction.id},
    }


def cancel() -> Params:
    """Give up an intent."""
    return {"cancellation_reason": "requested_by_customer"}


def refund(transaction: PaymentTransaction) -> Params:
    """Give back the amount."""
    return {
        "payment_intent": intent_id(transaction.parent_reference),
        "amount": checked(transaction.amount),
        "metadata": _metadata(transaction),
    }


def _method(token: str) -> Params:
    if token.startswith("tok_"):
        return {"payment_method_data": {"type": "card", "card": {"token": token}}}
    method, _, customer = token.partition("@")
    # Stripe charges a kept payment method only together with the customer it is kept with.
    return {"payment_method": method, **({"customer": customer} if customer else {})}


def _metadata(transaction: PaymentTransaction) -> dict[str, str]:
    return {
        "order_id": transaction.order_id,
        "transaction_id": transaction.id,
        "installation": transaction.installation,
    }
