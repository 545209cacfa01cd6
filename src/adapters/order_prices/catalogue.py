"""The text of a catalogue: a JSON array of prices, with every mistake named by its line.

    [
      {"product_id": "teapot-blue", "price": "24.50", "currency": "USD"},
      {"product_id": "teapot-blue", "price": "22.00", "currency": "EUR"}
    ]

JSON, because its last bracket says that the file is whole: of a list of lines, the first
half is a list of lines too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.order_item import LONGEST_PRODUCT_ID
from order_core.price_check import PriceList
from order_core.text import checked_text

MOST_PRICES: Final = 100_000
MOST_MISTAKES: Final = 20
_MEMBERS: Final = ("product_id", "price", "currency")
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_LONGEST_SHOWN: Final = 60


class CatalogueInvalid(Exception):
    """`mistakes`: the first of them, each with its line; a catalogue with one is not used."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)


class Catalogue:
    """What the shop sells, and at which prices: at least one."""

    def __init__(self, prices: Mapping[str, tuple[Money, ...]]) -> None:
        self._prices = prices

    def __len__(self) -> int:
        return sum(map(len, self._prices.values()))

    def prices_of(self, product_id: str) -> PriceList:
        """By currency; empty if the product is not for sale."""
        return {price.currency: price for price in self._prices.get(product_id, ())}


def read_catalogue(written: bytes, *, most: int = MOST_PRICES) -> Catalogue:
    """The catalogue that is written there, of `most` prices.

    Raises:
        CatalogueInvalid: with the first `MOST_MISTAKES` mistakes, and how many more there are.
    """
    try:
        text = written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = written.count(b"\n", 0, error.start) + 1
        raise CatalogueInvalid([f"line {line}: is not text in UTF-8"]) from None
    prices: dict[str, tuple[Money, ...]] = {}
    mistakes = _Mistakes(text)
    count = 0
    try:
        for place, entry in _entries(text):
            count += 1
            if count > most:
                mistakes.add(place, f"is more than the {most} prices that fit")
                break
            try:
                product_id, price = _price(entry)
            except ValueError as error:
                mistakes.add(place, str(error))
                continue
            others = prices.get(product_id, ())
            if any(other.currency == price.currency for other in others):
                mistakes.add(place, f"{_shown(product_id)} has a price in {price.currency} already")
            prices[product_id] = (*others, price)
    except _NotJsonError as error:
        mistakes.add(error.place, error.because)
    if not (mistakes.any or prices):
        mistakes.add(0, "holds no price, so nothing could be sold")
    mistakes.raise_if_any()
    return Catalogue(prices)


def _price(entry: object) -> tuple[str, Money]:
    if not isinstance(entry, dict):
        raise ValueError("is not an object")  # noqa: TRY004 - a wrong value of a file
    if missing := [name for name in _MEMBERS if name not in entry]:
        raise ValueError(f"has no {missing[0]}")
    if unknown := [name for name in entry if name not in _MEMBERS]:
        raise ValueError(f"has a member that is not known here: {_shown(unknown[0])}")
    product_id, amount, currency = (entry[name] for name in _MEMBERS)
    if not isinstance(product_id, str) or not isinstance(currency, str):
        raise ValueError("product_id and currency must be text")  # noqa: TRY004 - as above
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise ValueError("price must be a number, or text that is one")  # noqa: TRY004 - as above
    try:
        checked_text(product_id, "product_id", longest=LONGEST_PRODUCT_ID)
        return product_id, Money.parse(amount, currency)
    except InvalidValue as refusal:
        field = refusal.field[0] if refusal.field else "price"
        raise ValueError(f"{field} {refusal.because}") from None


class _NotJsonError(Exception):
    """The text is broken at this place, and what follows cannot be read."""

    def __init__(self, place: int, because: str) -> None:
        super().__init__(because)
        self.place = place
        self.because = because


def _entries(text: str) -> Iterator[tuple[int, Any]]:
    """Each member of the array, with the place where it begins."""
    decoder = json.JSONDecoder(
        parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once_each
    )
    place = _after_blanks(text, 0)
    if text[place : place + 1] != "[":
        raise _NotJsonError(place, "must begin with [ and be a list of prices, in JSON")
    place = _after_blanks(text, place + 1)
    if text[place : place + 1] == "]":
        place += 1
    else:
        end, follows = place, ","
        while follows == ",":
            try:
                entry, end = decoder.raw_decode(text, place)
            except json.JSONDecodeError as error:
                raise _NotJsonError(error.pos, f"is not JSON ({error.msg})") from None
            except (ValueError, ArithmeticError, RecursionError) as error:
                raise _NotJsonError(place, f"is not read here ({error})") from None
            yield place, entry
            end = _after_blanks(text, end)
            follows = text[end : end + 1]
            place = _after_blanks(text, end + 1)
        if follows != "]":
            raise _NotJsonError(end, "must go on with a comma or end with ]: the file is not whole")
    if _after_blanks(text, place) != len(text):
        raise _NotJsonError(place, "must end after ]")


def _after_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member comes twice")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _shown(text: str) -> str:
    return repr(text[:_LONGEST_SHOWN])


class _Mistakes:
    """Keeps the first ones and counts the others, so that a wrong file is no flood."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._kept: list[str] = []
        self._more = 0

    @property
    def any(self) -> bool:
        return bool(self._kept)

    def add(self, place: int, because: str) -> None:
        if len(self._kept) < MOST_MISTAKES:
            line = self._text.count("\n", 0, place) + 1
            self._kept.append(f"line {line}: {because}")
        else:
            self._more += 1

    def raise_if_any(self) -> None:
        if self._more:
            raise CatalogueInvalid([*self._kept, f"and {self._more} more"])
        if self._kept:
            raise CatalogueInvalid(self._kept)
