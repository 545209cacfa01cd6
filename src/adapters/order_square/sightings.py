"""Payments, refunds and disputes as Square shows them, checked.

The SDK does not check what it reads (an id may be a number), so every field that is used here is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.errors import InvalidValue
from order_core.money import Money
from order_square import marks
from order_square.marks import Mark

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MOST_CHANGES: Final = 2**31
_CODE: Final = re.compile(r"[A-Z0-9_]{1,64}")


class Unreadable(ValueError):
    """Square's words do not have the form that Square documents."""


@dataclass(frozen=True, slots=True)
class SeenPayment:
    """A payment at Square. `total` is all that the buyer pays, tips included."""

    id: str
    status: str
    total: Money
    reference_id: str
    mark: Mark | None
    location_id: str | None
    failure: str | None
    delayed_until: datetime | None
    version_token: str | None


@dataclass(frozen=True, slots=True)
class SeenRefund:
    """A refund at Square."""

    id: str
    status: str
    amount: Money
    payment_id: str | None
    mark: Mark | None
    location_id: str | None


@dataclass(frozen=True, slots=True)
class SeenDispute:
    """A buyer's bank that asks for its money back."""

    id: str
    state: str
    amount: Money
    reason: str
    payment_id: str | None
    location_id: str | None
    version: int | None
    """Counts the changes of the dispute."""


def seen_payment(shown: object) -> SeenPayment:
    """Raises: Unreadable."""
    fields = _fields(shown)
    return SeenPayment(
        id=_id(fields.get("id")),
        status=_word(fields.get("status")),
        total=_money(fields.get("total_money") or fields.get("amount_money")),
        reference_id=_text(fields.get("reference_id")) or "",
        mark=marks.payment_mark(fields.get("note"), fields.get("reference_id")),
        location_id=_text(fields.get("location_id")),
        failure=_failure(fields.get("card_details")),
        delayed_until=_moment(fields.get("delayed_until")),
        version_token=_text(fields.get("version_token")),
    )


def seen_refund(shown: object) -> SeenRefund:
    """Raises: Unreadable."""
    fields = _fields(shown)
    return SeenRefund(
        id=_id(fields.get("id")),
        status=_word(fields.get("status")),
        amount=_money(fields.get("amount_money")),
        payment_id=_text(fields.get("payment_id")),
        mark=marks.refund_mark(fields.get("reason")),
        location_id=_text(fields.get("location_id")),
    )


def seen_dispute(shown: object) -> SeenDispute:
    """Raises: Unreadable."""
    fields = _fields(shown)
    payment = fields.get("disputed_payment")
    payment_id = payment.get("payment_id") if isinstance(payment, Mapping) else None
    return SeenDispute(
        id=_id(fields.get("dispute_id") or fields.get("id")),
        state=_word(fields.get("state")),
        amount=_money(fields.get("amount_money")),
        reason=code(fields.get("reason")),
        payment_id=_text(payment_id),
        location_id=_text(fields.get("location_id")),
        version=_count(fields.get("version")),
    )


def code(word: object) -> str:
    """One of Square's words in lower case, or `unrecognised`: foreign text goes no further."""
    return word.lower() if isinstance(word, str) and _CODE.fullmatch(word) else "unrecognised"


def _fields(shown: object) -> Mapping[str, object]:
    if not isinstance(shown, Mapping):
        raise Unreadable("not an object")
    return shown


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Unreadable("no usable id")
    return value


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise Unreadable("no status")
    return value


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Unreadable("not a text")
    return value


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < _MOST_CHANGES else None


def _money(value: object) -> Money:
    fields = _fields(value)
    amount, currency = fields.get("amount"), fields.get("currency")
    if type(amount) is not int or not isinstance(currency, str):
        raise Unreadable("no amount")
    try:
        return Money(amount, currency)
    except InvalidValue as refusal:
        raise Unreadable("no possible amount") from refusal


def _failure(card_details: object) -> str | None:
    errors = card_details.get("errors") if isinstance(card_details, Mapping) else None
    if not isinstance(errors, list) or not errors or not isinstance(errors[0], Mapping):
        return None
    return code(errors[0].get("code")).upper()


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(_word(value))
    except ValueError as error:
        raise Unreadable("no moment") from error
    if moment.tzinfo is None:
        raise Unreadable("a moment without its time zone")
    return moment
