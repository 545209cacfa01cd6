"""What is sent to Square, built from the transaction alone.

Arguments that are not set are left out: the SDK would send None as `null`, and Square refuses it.
"""

import re
from typing import Any, Final

from order_core.payment import PaymentTransaction, TransactionKind
from order_square import marks
from order_square.tokens import source

_LONGEST_KEY: Final = 45
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")

Request = dict[str, Any]


class RequestImpossible(ValueError):
    """The transaction holds what Square cannot take; nothing was sent."""


def path_id(reference: str | None) -> str:
    """`reference`, when it is one of Square's ids. The SDK puts it into the path as it is.

    Raises:
        RequestImpossible: it could lead to another address.
    """
    if reference is None or not _ID.fullmatch(reference):
        raise RequestImpossible("no_usable_reference")
    return reference


def payment(transaction: PaymentTransaction, location_id: str) -> Request:
    """A charge, or a hold that Square gives up by itself after its time limit."""
    if transaction.token is None:
        raise RequestImpossible("no_payment_method")
    paid_with = source(transaction.token)
    at_once = transaction.kind is TransactionKind.CHARGE
    request: Request = {
        "source_id": paid_with.id,
        "idempotency_key": _key(transaction),
        "amount_money": _money(transaction),
        "autocomplete": at_once,
        "location_id": location_id,
        "reference_id": _short(transaction.id, marks.LONGEST_REFERENCE),
        "note": _short(marks.note(transaction), marks.LONGEST_NOTE),
    }
    if paid_with.customer is not None:
        request["customer_id"] = paid_with.customer
    if not at_once:
        # Square can also capture by itself at the end of the time; an order decides that here.
        request["delay_action"] = "CANCEL"
    return request


def amount_change(transaction: PaymentTransaction, version_token: str | None) -> Request:
    """Lower the hold to the part that is captured; the rest is let go."""
    changed: Request = {"amount_money": _money(transaction)}
    if version_token is not None:
        changed["version_token"] = version_token
    return {
        "payment_id": path_id(transaction.parent_reference),
        "idempotency_key": _key(transaction),
        "payment": changed,
    }


def completion(transaction: PaymentTransaction, version_token: str | None) -> Request:
    """Take what is held."""
    request: Request = {"payment_id": path_id(transaction.parent_reference)}
    if version_token is not None:
        # Square then refuses if anybody changed the payment since it was read.
        request["version_token"] = version_token
    return request


def refund(transaction: PaymentTransaction) -> Request:
    """Give back all or a part of a payment."""
    return {
        "idempotency_key": _key(transaction),
        "payment_id": path_id(transaction.parent_reference),
        "amount_money": _money(transaction),
        "reason": _short(marks.reason(transaction), marks.LONGEST_REASON),
    }


def _money(transaction: PaymentTransaction) -> Request:
    return {
        "amount": transaction.amount.minor_units,
        "currency": transaction.amount.currency,
    }


def _key(transaction: PaymentTransaction) -> str:
    return _short(transaction.key, _LONGEST_KEY)


def _short(text: str, longest: int) -> str:
    if not 0 < len(text) <= longest:
        raise RequestImpossible("too_long_for_square")
    return text
