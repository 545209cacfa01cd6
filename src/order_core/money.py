"""Money: an exact amount of one currency, in its minor units."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from order_core.currencies import DECIMALS
from order_core.errors import InvalidValue

MAX_MINOR_UNITS: Final = 2**53 - 1
"""The largest amount: every JSON reader in the world still holds it exactly."""

_LONGEST_AMOUNT_CHARACTERS: Final = 40

Amount = Decimal | int | str
"""What an amount can be read from."""


@dataclass(frozen=True, slots=True)
class Money:
    """`minor_units` of `currency` (ISO 4217): `Money(1250, "EUR")` is 12.50 euro.

    Never negative, never a fraction of a minor unit: what does not fit is refused,
    nothing is rounded.

    Raises:
        InvalidValue: the currency is unknown, or the amount negative or above
            `MAX_MINOR_UNITS`.
    """

    minor_units: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in DECIMALS:
            raise InvalidValue(
                ("currency",), "unknown_currency", "is not a current ISO 4217 currency code"
            )
        if type(self.minor_units) is not int:
            raise TypeError(f"minor_units must be an int, not {type(self.minor_units).__name__}")
        if self.minor_units < 0:
            raise InvalidValue((), "negative_amount", "must not be negative")
        if self.minor_units > MAX_MINOR_UNITS:
            raise InvalidValue(
                (), "amount_too_large", f"must not exceed {MAX_MINOR_UNITS} minor units"
            )

    @classmethod
    def parse(cls, amount: Amount, currency: str) -> "Money":
        """Read `12.5`, `"12.50"` or `12` as an amount of `currency`, exactly.

        Trailing zeros are ignored; a digit below the minor unit is refused.

        Raises:
            InvalidValue: not a finite plain number, too many decimals, negative or too large.
            TypeError: a float, which has lost the exact amount already.
        """
        if isinstance(amount, bool) or not isinstance(amount, Amount):
            raise TypeError(f"an amount is a Decimal, int or str, not {type(amount).__name__}")
        if currency not in DECIMALS:
            raise InvalidValue(
                ("currency",), "unknown_currency", "is not a current ISO 4217 currency code"
            )
        if isinstance(amount, int):
            # A giant int would hit Python's digit limit on its way into a Decimal.
            if abs(amount) > MAX_MINOR_UNITS:
                raise InvalidValue((), "amount_too_large", "is too large")
            amount = Decimal(amount)
        elif isinstance(amount, str):
            amount = _plain_number(amount)
        return cls(_minor_units(amount, DECIMALS[currency], currency), currency)

    @property
    def decimals(self) -> int:
        """How many digits follow the point when this amount is written."""
        return DECIMALS[self.currency]

    def times(self, quantity: int) -> "Money":
        return Money(self.minor_units * quantity, self.currency)

    def plain(self) -> str:
        """The amount with exactly the currency's decimals: `12.50`, `500`, `0.005`."""
        decimals = DECIMALS[self.currency]
        if not decimals:
            return str(self.minor_units)
        digits = str(self.minor_units).rjust(decimals + 1, "0")
        return f"{digits[:-decimals]}.{digits[-decimals:]}"

    def __str__(self) -> str:
        return f"{self.plain()} {self.currency}"


def _minor_units(number: Decimal, decimals: int, currency: str) -> int:
    # By digits, not by Decimal arithmetic: that rounds to 28 digits without a word.
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise InvalidValue((), "not_a_number", "must be a finite number")
    if not number:
        return 0
    if sign:
        raise InvalidValue((), "negative_amount", "must not be negative")
    # Before the digits become an int: 1e400 must not become a number of 400 digits.
    if number.adjusted() > _LONGEST_AMOUNT_CHARACTERS:
        raise InvalidValue((), "amount_too_large", "is too large")
    shift = exponent + decimals
    kept = digits if shift >= 0 else digits[:shift]
    if any(digits[len(kept) :]):
        raise InvalidValue(
            (), "too_many_decimals", f"has more than the {decimals} decimals of {currency}"
        )
    units = 0
    for digit in kept:
        units = units * 10 + digit
    return units * int(10 ** max(shift, 0))


def _plain_number(text: str) -> Decimal:
    # Decimal() would also take "1_000", " 1 ", "1e3" and the digits of other scripts.
    if len(text) > _LONGEST_AMOUNT_CHARACTERS or not text.isascii():
        raise InvalidValue((), "not_a_number", "must be a plain decimal number")
    if set(text) - set("0123456789.-"):
        raise InvalidValue((), "not_a_number", "must be a plain decimal number")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InvalidValue((), "not_a_number", "must be a plain decimal number") from None
