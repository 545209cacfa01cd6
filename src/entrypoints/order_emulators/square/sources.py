"""Square's test payment methods, and what each does.

The names are those of Square's sandbox. Two more are ours, because a shop that lets every token
pay only once cannot use the same `cnon:` for a second order: `cnon:once-ANYTHING` pays once, and
whatever begins with `ccof:customer-card-id-ok` pays always.
"""

from types import MappingProxyType
from typing import Final

PAYS_OFTEN: Final = "ccof:customer-card-id-ok"
PAYS_ONCE: Final = "cnon:once-"
BANK: Final = "bnon:bank-nonce-ok"
BANK_WITHOUT_FUNDS: Final = "bnon:bank-nonce-insufficient-funds"

REFUSED: Final = MappingProxyType(
    {
        "cnon:card-nonce-declined": "GENERIC_DECLINE",
        "cnon:card-nonce-rejected-cvv": "CVV_FAILURE",
        "cnon:card-nonce-rejected-postalcode": "ADDRESS_VERIFICATION_FAILURE",
        "cnon:card-nonce-rejected-expiration": "INVALID_EXPIRATION",
        "cnon:card-nonce-already-used": "CARD_TOKEN_USED",
        "cnon:card-nonce-requires-verification": "CARD_DECLINED_VERIFICATION_REQUIRED",
        "cnon:gift-card-nonce-insufficient-funds": "INSUFFICIENT_FUNDS",
        "ccof:customer-card-id-declined": "GENERIC_DECLINE",
        "ccof:customer-card-id-rejected-cvv": "CVV_FAILURE",
        "ccof:customer-card-id-rejected-postalcode": "ADDRESS_VERIFICATION_FAILURE",
        "ccof:customer-card-id-rejected-expiration": "INVALID_EXPIRATION",
    }
)
"""Source -> the code of Square's error."""


def pays(source: str) -> bool:
    """Whether a card pays at once."""
    return source == "cnon:card-nonce-ok" or source.startswith((PAYS_OFTEN, PAYS_ONCE))


def is_bank(source: str) -> bool:
    """Whether the payment takes days."""
    return source in {BANK, BANK_WITHOUT_FUNDS}
