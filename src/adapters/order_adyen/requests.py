"""What is sent to Adyen, built from the transaction alone."""

import re
from typing import Any, Final

from order_adyen import marks
from order_core.errors import InvalidValue
from order_core.payment import PaymentTransaction, TransactionKind

_LONGEST_KEY: Final = 64
# No hyphen: the SDK replaces "-test" and "-live" wherever they stand in an address.
_PSP_REFERENCE: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_STORED: Final = re.compile(r"stored:([A-Za-z0-9]{1,64})@([A-Za-z0-9._-]{3,256})")
_NOWHERE: Final = "https://localhost/"

Request = dict[str, Any]


class RequestImpossible(ValueError):
    """The transaction holds what Adyen cannot take; nothing was sent."""


def stored_method(token: str) -> tuple[str, str]:
    """The stored payment method's id and its shopper, from `stored:ID@SHOPPER`.

    Raises:
        InvalidValue: with field `payment_method`. The token is not repeated.
    """
    match = _STORED.fullmatch(token)
    if match is None:
        raise InvalidValue(
            ("payment_method",),
            "unknown_payment_method",
            "must be a payment method stored at Adyen: stored:ID@SHOPPER",
        )
    return match[1], match[2]


def path_id(reference: str | None) -> str:
    """`reference`, when it is one of Adyen's. The SDK puts it into the path as it is."""
    if reference is None or not _PSP_REFERENCE.fullmatch(reference):
        raise RequestImpossible("no_usable_reference")
    return reference


def payment(transaction: PaymentTransaction, merchant: str) -> Request:
    """A charge, captured at once, or a hold that waits for our capture."""
    if transaction.token is None:
        raise RequestImpossible("no_payment_method")
    method, shopper = stored_method(transaction.token)
    request: Request = {
        "merchantAccount": merchant,
        "amount": _amount(transaction),
        "reference": _reference(transaction),
        "paymentMethod": {"type": "scheme", "storedPaymentMethodId": method},
        "shopperReference": shopper,
        "shopperInteraction": "ContAuth",
        "recurringProcessingModel": "CardOnFile",
        "returnUrl": transaction.return_url or _NOWHERE,
        "metadata": {
            "order_id": transaction.order_id[:80],
            "transaction_id": transaction.id,
            "installation": transaction.installation,
        },
    }
    if transaction.kind is TransactionKind.CHARGE:
        request["captureDelayHours"] = 0
    else:
        request["additionalData"] = {"manualCapture": "true"}
    return request


def change(transaction: PaymentTransaction, merchant: str) -> Request:
    """A capture, a cancellation or a refund of a payment."""
    request: Request = {"merchantAccount": merchant, "reference": _reference(transaction)}
    if transaction.kind is not TransactionKind.VOID:
        request["amount"] = _amount(transaction)
    return request


def key(transaction: PaymentTransaction) -> str:
    """The idempotency key."""
    return _short(transaction.key, _LONGEST_KEY)


def _amount(transaction: PaymentTransaction) -> Request:
    return {"value": transaction.amount.minor_units, "currency": transaction.amount.currency}


def _reference(transaction: PaymentTransaction) -> str:
    reference = _short(marks.reference(transaction), marks.LONGEST)
    if marks.mark(reference) is None:
        raise RequestImpossible("no_usable_transaction_id")
    return reference


def _short(text: str, longest: int) -> str:
    if not 0 < len(text) <= longest:
        raise RequestImpossible("too_long_for_adyen")
    return text
