"""Our reference on everything that is sent to Adyen.

Adyen signs the reference in its events, but no metadata. So it says whose the movement is, and
whether a payment is taken at once: `TRANSACTION@INSTALLATION` for a charge, `~` instead of `@`
for a hold, `!` for what is done to a payment later.
"""

import re
from dataclasses import dataclass
from typing import Final

from order_core.payment import PaymentTransaction, TransactionKind

LONGEST: Final = 80
_SIGNS: Final = {TransactionKind.CHARGE: "@", TransactionKind.AUTHORIZATION: "~"}
_LATER: Final = "!"
_REFERENCE: Final = re.compile(r"(?P<id>[A-Za-z0-9_-]{1,40})(?P<sign>[@~!])(?P<place>[\w.-]{1,64})")


@dataclass(frozen=True, slots=True)
class Mark:
    """What of ours stands on a movement; `begins` is None for what is done to a payment later."""

    transaction_id: str
    installation: str
    begins: TransactionKind | None


def reference(transaction: PaymentTransaction) -> str:
    """The `reference` of a request."""
    sign = _SIGNS.get(transaction.kind, _LATER)
    return f"{transaction.id}{sign}{transaction.installation}"


def mark(reference: object) -> Mark | None:
    """Our mark in a reference; None if it is not ours."""
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if match is None:
        return None
    begins = next((kind for kind, sign in _SIGNS.items() if sign == match["sign"]), None)
    return Mark(match["id"], match["place"], begins)
