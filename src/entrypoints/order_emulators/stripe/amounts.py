"""Which amounts Stripe takes, and what they are in ISO 4217's minor units.

Sources: https://docs.stripe.com/currencies. Written apart from the gateway's own table, so
that a mistake in one shows against the other.
"""

from typing import Final

from order_core.currencies import DECIMALS
from order_emulators.stripe.refusals import invalid

_MOST: Final = 99_999_999
_SMALLEST: Final = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "chf": 50, "cad": 50}
_STRIPE_DECIMALS: Final = {"mga": 0, "isk": 2}
_THREE: Final = 3


def check_amount(amount: int, currency: str) -> None:
    """Refuse what Stripe refuses."""
    if currency.upper() not in DECIMALS or not currency.islower():
        raise invalid(f"Invalid currency: {currency}.", param="currency", code="invalid_currency")
    if amount < _SMALLEST.get(currency, 1):
        raise invalid(
            "Amount must be no less than the minimum charge amount.",
            param="amount",
            code="amount_too_small",
        )
    if amount > _MOST:
        raise invalid("Amount is too large.", param="amount", code="amount_too_large")
    step = 10 if DECIMALS[currency.upper()] == _THREE else 100 if currency == "isk" else 1
    if amount % step:
        raise invalid(
            f"Invalid amount for {currency}.", param="amount", code="parameter_invalid_integer"
        )


def in_iso_units(amount: int, currency: str) -> int:
    """The amount in the minor units of ISO 4217."""
    iso = DECIMALS[currency.upper()]
    stripe = _STRIPE_DECIMALS.get(currency, iso)
    return int(amount * 10**iso // 10**stripe)
