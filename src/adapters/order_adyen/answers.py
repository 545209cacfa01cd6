"""What Adyen answers, as an outcome."""

import re
from collections.abc import Mapping
from typing import Final

from order_adyen import holds, marks
from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import (
    Authorized,
    Declined,
    Outcome,
    OutcomeUnknown,
    Pending,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind

_PSP_REFERENCE: Final = re.compile(r"[A-Za-z0-9]{1,64}")
_WORD: Final = re.compile(r"[A-Za-z0-9_]{1,40}")
_REASONS: Final = {
    "2": "card_declined",
    "5": "card_blocked",
    "6": "expired_card",
    "8": "invalid_card",
    "11": "authentication_required",
    "12": "insufficient_funds",
    "14": "fraud_suspected",
    "20": "fraud_suspected",
    "24": "incorrect_cvc",
    "28": "limit_exceeded",
}
_NEEDS_THE_BUYER: Final = frozenset({"RedirectShopper", "IdentifyShopper", "ChallengeShopper"})


class Unreadable(ValueError):
    """Adyen's words do not have the form that Adyen documents."""


def of_payment(answer: object, transaction: PaymentTransaction) -> Outcome:
    """What became of a charge or a hold. Raises: Unreadable."""
    fields = object_in(answer)
    code = fields.get("resultCode")
    if code == "Refused":
        reason = _REASONS.get(str(fields.get("refusalReasonCode")), "card_declined")
        retryable = reason in {"insufficient_funds", "authentication_required"}
        return Declined(reason, retryable=retryable, reference=reference_in(fields))
    if code == "Cancelled":
        return Declined("canceled", reference=reference_in(fields))
    if code == "Authorised":
        reference, amount = reference_in(fields), money_in(fields.get("amount"))
        mark = marks.mark(fields.get("merchantReference"))
        ours = mark.transaction_id if mark else ""
        if transaction.kind is TransactionKind.AUTHORIZATION:
            # From before the request left, so that an answer told again says the same.
            return Authorized(reference, amount, ours, transaction.recorded_at + holds.SHORTEST)
        return Succeeded(reference, amount, ours)
    if code in {"Pending", "Received"}:
        return Pending(reference_in(fields))
    if code in _NEEDS_THE_BUYER:
        # His answer would go to /payments/details, which is never called here, and he is told
        # neither address nor token: nothing can be authorised any more. A redirect is not even
        # named: its reference comes with those details.
        known = reference_in(fields) if "pspReference" in fields else None
        return Declined("authentication_required", retryable=True, reference=known)
    return OutcomeUnknown(f"result:{word(code)}")


def of_change(answer: object) -> Outcome:
    """Adyen has only received a capture, cancellation or refund; its event tells the rest."""
    fields = object_in(answer)
    if fields.get("status") != "received":
        return OutcomeUnknown(f"status:{word(fields.get('status'))}")
    return Pending(reference_in(fields))


def object_in(value: object) -> Mapping[str, object]:
    """Raises: Unreadable."""
    if not isinstance(value, Mapping):
        raise Unreadable("not an object")
    return value


def reference_in(fields: Mapping[str, object], name: str = "pspReference") -> str:
    """Raises: Unreadable."""
    value = fields.get(name)
    if not isinstance(value, str) or not _PSP_REFERENCE.fullmatch(value):
        raise Unreadable("no usable reference")
    return value


def money_in(value: object) -> Money:
    """Raises: Unreadable."""
    fields = object_in(value)
    amount, currency = fields.get("value"), fields.get("currency")
    if type(amount) is not int or not isinstance(currency, str):
        raise Unreadable("no amount")
    try:
        return Money(amount, currency)
    except InvalidValue as refusal:
        raise Unreadable("no possible amount") from refusal


def word(value: object) -> str:
    """One of Adyen's words, or `unrecognised`: foreign text goes no further."""
    return value.lower() if isinstance(value, str) and _WORD.fullmatch(value) else "unrecognised"
