"""The payment methods that the pretended PayPal keeps, and what paying with each one does.

PayPal itself has no such names: its sandbox is told by a header what to answer. Those that are
an error code stand for `PayPal-Mock-Response` with that code.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class VaultedMethod:
    """What paying with it does."""

    meaning: str
    issue: str = ""
    """The completion of an order is refused with this code."""
    response_code: str = ""
    """The payment is made and DECLINED, with this code of the processor."""
    is_pending: bool = False
    asks_buyer: bool = False


VAULT: Final = MappingProxyType(
    {
        "ok": VaultedMethod("pays"),
        "INSTRUMENT_DECLINED": VaultedMethod("is refused", issue="INSTRUMENT_DECLINED"),
        "REFERENCED_CARD_EXPIRED": VaultedMethod("is refused", issue="REFERENCED_CARD_EXPIRED"),
        "TRANSACTION_REFUSED": VaultedMethod("is refused", issue="TRANSACTION_REFUSED"),
        "PAYER_ACTION_REQUIRED": VaultedMethod("asks the buyer first", asks_buyer=True),
        "PENDING": VaultedMethod("is paid once it is decided", is_pending=True),
        "5120": VaultedMethod("has insufficient funds", response_code="5120"),
        "5400": VaultedMethod("is an expired card", response_code="5400"),
        "0500": VaultedMethod("is not honored", response_code="0500"),
    }
)
"""Vault id -> what it does, for `vault:paypal:` and `vault:card:` alike. `ok-ann` and `ok-bob`
do what `ok` does. Any other id is not known, and the payment refused with TOKEN_ID_NOT_FOUND."""

REFUNDS_PEND: Final = "refund-pending"
"""A refund of an order with this in its description stays PENDING until it is decided."""
