"""Which amounts Square can take.

Source: Square's country list (https://developer.squareup.com/docs/international-development):
sellers in Australia, Canada, France, Ireland, Japan, Spain, the United Kingdom and the United
States, and a location takes its own country's currency only. Amounts are whole minor units,
JPY 500 is 500; none of these currencies has three decimals.
"""

from typing import Final

from order_core.errors import InvalidValue
from order_core.money import Money

CURRENCIES: Final = frozenset({"AUD", "CAD", "EUR", "GBP", "JPY", "USD"})


def check_amount(amount: Money, currency: str | None) -> None:
    """Refuse an amount that the location could never take; `currency` is its own, if known.

    Raises:
        InvalidValue: with field `currency`.
    """
    taken = CURRENCIES if currency is None else {currency}
    if amount.currency not in taken:
        raise InvalidValue(
            ("currency",),
            "unsupported_currency",
            f"must be one that the shop's Square location takes: {', '.join(sorted(taken))}",
        )
    if amount.minor_units == 0:
        raise InvalidValue(("currency",), "zero_amount", "Square charges no amount of zero")
