"""Which amounts Adyen can take here.

Source: https://docs.adyen.com/development-resources/currency-codes. Listed are currencies whose
minor units Adyen counts like ISO 4217. Left out on purpose: CLP, CVE, IDR and ISK, which it counts
otherwise, so that an amount would be a hundred times too much or too little.
"""

from typing import Final

from order_core.errors import InvalidValue
from order_core.money import Money

CURRENCIES: Final = frozenset(
    {
        *("AED", "AUD", "BHD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD"),
        *("HUF", "ILS", "INR", "JPY", "KRW", "KWD", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN"),
        *("RON", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "USD", "ZAR"),
    }
)


def check_amount(amount: Money) -> None:
    """Refuse what is never sent to Adyen.

    Raises:
        InvalidValue: with field `currency`.
    """
    if amount.currency not in CURRENCIES:
        raise InvalidValue(
            ("currency",), "unsupported_currency", "is not supported with Adyen by this shop"
        )
    if amount.minor_units == 0:
        raise InvalidValue(("currency",), "zero_amount", "Adyen charges no amount of zero")
