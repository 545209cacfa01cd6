"""What identifies things at PayPal, checked before any of it becomes part of an address."""

import re
from dataclasses import dataclass
from typing import Final

from order_core.errors import InvalidValue
from order_core.payment import PaymentTransaction

_REFERENCE: Final = re.compile(r"[A-Z0-9]{1,36}")
_VAULT_ID: Final = re.compile(r"[0-9a-zA-Z_-]{1,255}")


class BadReference(ValueError):
    """An id that PayPal cannot have given; nothing was sent."""


def reference(text: str | None) -> str:
    """The id, fit to stand in an address.

    Raises:
        BadReference: it is empty, or holds anything but capitals and digits.
    """
    if text is None or not _REFERENCE.fullmatch(text):
        raise BadReference("not an id of PayPal")
    return text


@dataclass(frozen=True, slots=True)
class ApprovedOrder:
    """`order:<id>`: an order that the shop's page made and the buyer approved. It pays once."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Vaulted:
    """`vault:paypal:<id>` or `vault:card:<id>`: a payment method that PayPal keeps."""

    source: str
    """The name of the payment source in a request: `paypal` or `card`."""
    vault_id: str


Token = ApprovedOrder | Vaulted


def token(text: str) -> Token:
    """Read a payment method.

    Raises:
        InvalidValue: it has none of the three forms.
    """
    match text.split(":"):
        case ["order", order_id] if _REFERENCE.fullmatch(order_id):
            return ApprovedOrder(order_id)
        case ["vault", ("paypal" | "card") as source, vault_id] if _VAULT_ID.fullmatch(vault_id):
            return Vaulted(source, vault_id)
    raise InvalidValue(
        ("payment_method",),
        "unknown_payment_method",
        "must be order:ID, vault:paypal:ID or vault:card:ID",
    )


def custom_id(transaction: PaymentTransaction) -> str:
    """Our mark on everything at PayPal: the transaction and the installation it belongs to.

    The order's id does not fit beside them (127 characters); it stands in the description.
    """
    return f"{transaction.id},{transaction.installation}"


def marked(text: str) -> tuple[str, str | None]:
    """The transaction and the installation that a `custom_id` names."""
    transaction_id, _, installation = text.partition(",")
    return transaction_id, installation or None
