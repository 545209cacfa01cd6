"""Amounts as Stripe counts them.

Sources: https://docs.stripe.com/currencies (presentment currencies, zero-decimal and
three-decimal currencies, special cases) and the limit of eight digits for `amount` in the
API reference. Stripe counts most currencies in the minor units of ISO 4217, but not all:

    MGA  2 decimals in ISO 4217, whole units at Stripe
    ISK  0 decimals in ISO 4217, hundredths at Stripe, of which only whole units are taken
    BHD JOD KWD OMR TND  3 decimals, and the last digit must be 0

UGX is missing on purpose: the documents contradict each other about its decimals. Stripe's
smallest amounts depend on the account's own currency, so only Stripe can check them; it
declines with `amount_too_small`.
"""

from typing import Final

from order_core.errors import InvalidValue
from order_core.money import Money

_TWO_DECIMALS: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD CDF "
    "CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP "
    "MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB "
    "SAR SBD SCR SEK SGD SHP SLE SOS SRD STN SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS "
    "WST XCD XCG YER ZAR ZMW"
)
_NO_DECIMALS: Final = "BIF CLP DJF GNF JPY KMF KRW PYG RWF VND VUV XAF XOF XPF"
_THREE_DECIMALS: Final = "BHD JOD KWD OMR TND"
_SAME_AS_ISO: Final = frozenset(f"{_TWO_DECIMALS} {_NO_DECIMALS}".split())
_LAST_DIGIT_ZERO: Final = frozenset(_THREE_DECIMALS.split())
_HUNDREDTHS: Final = 100
_MOST: Final = 99_999_999


def checked(amount: Money) -> int:
    """The integer that Stripe calls this amount.

    Raises:
        InvalidValue: with field `currency`; Stripe does not take this amount.
    """
    number = _as_counted(amount)
    if not 0 < number <= _MOST:
        raise InvalidValue(
            ("currency",), "unsupported_amount", "Stripe takes amounts of one to eight digits"
        )
    return number


def read(number: int, currency: str) -> Money:
    """The money that Stripe calls `number` of `currency` (in lower case).

    Raises:
        ValueError: there is no such amount of a currency that we know.
    """
    code = currency.upper()
    if type(number) is not int:
        raise ValueError(f"no amount: {number!r}")
    try:
        if code == "MGA":
            return Money(number * _HUNDREDTHS, code)
        if code == "ISK":
            whole, rest = divmod(number, _HUNDREDTHS)
            if rest:
                raise ValueError(f"a fraction of ISK: {number}")
            return Money(whole, code)
        return Money(number, code)
    except InvalidValue as error:
        raise ValueError(str(error)) from error


def _as_counted(amount: Money) -> int:
    code, number = amount.currency, amount.minor_units
    if code in _SAME_AS_ISO:
        return number
    if code in _LAST_DIGIT_ZERO:
        if number % 10:
            raise InvalidValue(
                ("currency",), "unsupported_precision", f"the last decimal of {code} must be 0"
            )
        return number
    if code == "ISK":
        return number * _HUNDREDTHS
    if code == "MGA":
        if number % _HUNDREDTHS:
            raise InvalidValue(
                ("currency",), "unsupported_precision", "Stripe takes whole units of MGA only"
            )
        return number // _HUNDREDTHS
    raise InvalidValue(("currency",), "unsupported_currency", f"Stripe does not take {code}")
