"""What a quote says, once its signature is proven."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.order_item import MAX_ITEMS, MAX_QUANTITY, OrderItem

QUOTE_TYPE: Final = "quote+jwt"
"""The `typ` header of every quote, so that no other token is one, and no quote is another."""

_OF_ALL: Final = frozenset({"exp", "nbf", "iat", "sub", "jti", "iss", "currency"})
_OF_ITEM: Final = _OF_ALL | {"product_id", "price", "min_quantity", "max_quantity"}
_OF_CART: Final = _OF_ALL | {"items"}
_OF_LINE: Final = frozenset({"product_id", "price", "quantity"})
_LAST_SECOND: Final = 253_402_300_799
_LONGEST_NAME: Final = 40


class QuoteUnusableError(Exception):
    """`code` is stable for programs; `because` follows "the quote" and shows none of it."""

    def __init__(self, code: str, because: str) -> None:
        super().__init__(because)
        self.code = code
        self.because = because


@dataclass(frozen=True, slots=True)
class Validity:
    """Unix times from and until which the shop stands by its word, and to whom: None = all."""

    good_from: float
    good_until: float
    customer_id: str | None

    def check(self, now: float, skew: float, customer_id: str) -> None:
        """`skew` seconds are forgiven at the beginning, where clocks differ, never at the end.

        Raises:
            QuoteUnusableError: too late, too early, or for somebody else.
        """
        if now >= self.good_until:
            raise QuoteUnusableError("quote_expired", "has expired: ask the shop for a new one")
        if now < self.good_from - skew:
            raise QuoteUnusableError("quote_not_yet_valid", "is not valid yet")
        if self.customer_id not in {None, customer_id}:
            raise QuoteUnusableError("quote_of_another_customer", "is for another customer")


@dataclass(frozen=True, slots=True)
class ItemQuote:
    """One piece of the product costs `price`, for those who buy this many of it at it."""

    validity: Validity
    product_id: str
    price: Money
    at_least: int
    at_most: int


@dataclass(frozen=True, slots=True)
class CartQuote:
    """Exactly these lines together, at these prices."""

    validity: Validity
    lines: tuple[OrderItem, ...]


def read_quote(claims: Mapping[str, Any]) -> ItemQuote | CartQuote:
    """What the shop says in `claims`, which are authentic.

    Raises:
        QuoteUnusableError: the shop wrote something that this service does not understand;
            nothing is ignored, because it may be a limit.
    """
    known = _OF_CART if "items" in claims else _OF_ITEM
    _refuse_others(claims, known)
    validity = _validity(claims)
    currency = _text(claims, "currency")
    try:
        if "items" in claims:
            return CartQuote(validity, _lines(claims["items"], currency))
        return _item_quote(claims, validity, currency)
    except InvalidValue as refusal:
        raise _unreadable(f"holds a value that is none: {refusal}") from None


def _item_quote(claims: Mapping[str, Any], validity: Validity, currency: str) -> ItemQuote:
    at_least = _quantity(claims, "min_quantity", 1)
    at_most = _quantity(claims, "max_quantity", MAX_QUANTITY)
    if at_least > at_most:
        raise _unreadable("has a min_quantity above its max_quantity")
    price = Money.parse(_text(claims, "price"), currency)
    # An item checks its product's name by the rules of orders.
    product_id = OrderItem(_text(claims, "product_id"), at_least, price).product_id
    return ItemQuote(validity, product_id, price, at_least, at_most)


def _lines(lines: object, currency: str) -> tuple[OrderItem, ...]:
    if not isinstance(lines, list) or not 1 <= len(lines) <= MAX_ITEMS:
        raise _unreadable(f"must have 1 to {MAX_ITEMS} items")
    return tuple(_line(line, currency) for line in lines)


def _line(line: object, currency: str) -> OrderItem:
    if not isinstance(line, dict):
        raise _unreadable("has an item that is no object")
    _refuse_others(line, _OF_LINE)
    price = Money.parse(_text(line, "price"), currency)
    return OrderItem(_text(line, "product_id"), _quantity(line, "quantity", None), price)


def _validity(claims: Mapping[str, Any]) -> Validity:
    until = _time(claims, "exp")
    if until is None:
        raise _unreadable("has no exp, and would hold for ever")
    begins = max(_time(claims, "nbf") or 0, _time(claims, "iat") or 0)
    customer_id = _text(claims, "sub") if "sub" in claims else None
    return Validity(begins, until, customer_id)


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    time: object = claims[name]
    # True is an int too, and would be a second after midnight, 1970.
    if isinstance(time, int | float) and not isinstance(time, bool) and 0 <= time <= _LAST_SECOND:
        return float(time)
    raise _unreadable(f"has an {name} that is not a time in seconds")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        # A price too: a JSON number may have lost its last digit before it was signed.
        raise _unreadable(f"must have {name} as text")
    return value


def _quantity(claims: Mapping[str, Any], name: str, default: int | None) -> int:
    value = claims.get(name, default)
    if type(value) is not int or not 1 <= value <= MAX_QUANTITY:
        raise _unreadable(f"must have {name} as a whole number from 1 to {MAX_QUANTITY}")
    return value


def _refuse_others(claims: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in claims:
        if name not in known:
            shown = name[:_LONGEST_NAME] if name.isidentifier() and name.isascii() else "..."
            raise _unreadable(f"has a member that is not known here: {shown}")


def _unreadable(because: str) -> QuoteUnusableError:
    return QuoteUnusableError("quote_invalid", because)
