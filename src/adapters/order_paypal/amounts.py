"""The currencies that PayPal takes, and how it writes their amounts.

Source: PayPal's page "Currency codes" of its REST API reference, read in 2026-11. PayPal knows
no currency with three decimals. BRL, CNY and MYR work only between accounts of their country.
"""

from types import MappingProxyType
from typing import Final

from order_core.errors import InvalidValue
from order_core.money import Money

_TWO_DECIMALS: Final = (
    *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "MXN", "MYR"),
    *("NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "USD"),
)

DECIMALS_AT_PAYPAL: Final = MappingProxyType(
    {
        **dict.fromkeys(_TWO_DECIMALS, 2),
        # HUF and TWD have two decimals in ISO 4217, and none here.
        **dict.fromkeys(("HUF", "JPY", "TWD"), 0),
    }
)
"""Currency code -> number of decimals that PayPal takes."""


def check_amount(amount: Money) -> None:
    """Refuse what PayPal could not be asked for.

    Raises:
        InvalidValue: PayPal does not take the currency, or not this fraction of it, or
            there is nothing to pay.
    """
    decimals = DECIMALS_AT_PAYPAL.get(amount.currency)
    if decimals is None:
        raise InvalidValue(
            ("currency",),
            "unsupported_currency",
            f"{amount.currency} is not taken by PayPal, which takes "
            f"{', '.join(sorted(DECIMALS_AT_PAYPAL))}",
        )
    if amount.minor_units == 0:
        raise InvalidValue(("currency",), "nothing_to_pay", "PayPal moves no amount of zero")
    if amount.minor_units % 10 ** (amount.decimals - decimals):
        raise InvalidValue(
            ("currency",),
            "too_many_decimals",
            f"PayPal takes only whole {amount.currency}, not {amount}",
        )


def written(amount: Money) -> dict[str, str]:
    """The amount as PayPal reads it: `{"currency_code": "EUR", "value": "25.00"}`."""
    check_amount(amount)
    surplus = amount.decimals - DECIMALS_AT_PAYPAL[amount.currency]
    plain = amount.plain()
    # What is cut are zeros, and the point before them: `check_amount` has seen to that.
    value = plain.partition(".")[0] if surplus else plain
    return {"currency_code": amount.currency, "value": value}
