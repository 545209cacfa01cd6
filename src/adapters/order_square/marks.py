"""How a payment or refund at Square shows that it is ours.

Square has no metadata. A payment's `reference_id` (40 characters) is the transaction's id, and
its `note` (500) holds the rest; a refund has its `reason` (192), which begins with the id.
"""

import re
from dataclasses import dataclass
from typing import Final

from order_core.payment import PaymentTransaction, TransactionKind

LONGEST_REFERENCE: Final = 40
LONGEST_NOTE: Final = 500
LONGEST_REASON: Final = 192

_NOTE: Final = re.compile(
    r"(?P<kind>charge|authorization) of order (?P<order>\S+), installation (?P<installation>\S+)"
)
_REASON: Final = re.compile(
    r"(?P<id>\S+) refund of order (?P<order>\S+), installation (?P<installation>\S+)"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What of ours stands on a movement."""

    installation: str
    kind: TransactionKind
    transaction_id: str | None


def note(transaction: PaymentTransaction) -> str:
    """The `note` of a payment."""
    return (
        f"{transaction.kind} of order {transaction.order_id}, "
        f"installation {transaction.installation}"
    )


def reason(transaction: PaymentTransaction) -> str:
    """The `reason` of a refund."""
    return (
        f"{transaction.id} refund of order {transaction.order_id}, "
        f"installation {transaction.installation}"
    )


def payment_mark(note: object, reference_id: object) -> Mark | None:
    """Our mark on a payment; None if it is not ours (the reference alone may be anybody's)."""
    match = _NOTE.fullmatch(note) if isinstance(note, str) else None
    if match is None or not isinstance(reference_id, str):
        return None
    return Mark(match["installation"], TransactionKind(match["kind"]), reference_id)


def refund_mark(reason: object) -> Mark | None:
    """Our mark on a refund; None if it is not ours."""
    match = _REASON.fullmatch(reason) if isinstance(reason, str) else None
    if match is None:
        return None
    return Mark(match["installation"], TransactionKind.REFUND, match["id"])
