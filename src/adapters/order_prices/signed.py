"""Prices proven by quotes: words that the shop's own backend has signed."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from order_core.errors import InvalidToken, InvalidValue, QuoteRefused
from order_core.order_item import OrderItem
from order_core.ports.clock import Clock
from order_core.quotes import Quotes
from order_prices.quote import CartQuote, ItemQuote, QuoteUnusableError, read_quote
from order_prices.quoted_cart import check_cart
from order_prices.quoted_items import check_limits, check_products, check_quoted_prices

MOST_ITEM_QUOTES: Final = 100
"""Different ones in one order: each costs a signature check. A larger cart has one quote."""
MOST_REFUSALS: Final = 20
"""Then nothing more is read: a forger would have a hundred signatures checked each time."""
_MOST_KEPT: Final = 1_024
"""Quotes of items whose signature is not checked again: three megabytes at the most."""
_LONGEST_HEADER: Final = 512

ProvenClaims = Callable[[str], Mapping[str, Any]]
"""The claims of a token that the shop's key has signed as a quote; raises InvalidToken."""


class SignedPrices:
    """Believes the prices that quotes prove. Keeps the port `Prices`.

    Every item has a quote, or the cart has one. A quote holds until it expires, for whoever it
    was made for, as often as it is shown: it is a price tag and not a coupon.
    """

    def __init__(self, proven: ProvenClaims, clock: Clock, *, skew: timedelta) -> None:
        self._proven = proven
        self._clock = clock
        self._skew_seconds = skew.total_seconds()
        self._kept: dict[str, ItemQuote] = {}

    async def verify(
        self, items: tuple[OrderItem, ...], /, *, customer_id: str, quotes: Quotes
    ) -> None:
        if quotes.cart is None:
            self._verify_each(items, customer_id, quotes)
        elif quotes.has_any_of_items:
            because = "must stand alone, or each item must have one of its own: there are both"
            raise QuoteRefused(InvalidValue(("quote",), "two_kinds_of_quotes", because))
        else:
            self._verify_cart(items, customer_id, quotes.cart)

    def _verify_cart(self, items: tuple[OrderItem, ...], customer_id: str, token: str) -> None:
        quote = self._read(token, customer_id)
        if isinstance(quote, ItemQuote):
            quote = QuoteUnusableError("quote_of_one_item", "is for one product: it belongs to it")
        if isinstance(quote, QuoteUnusableError):
            raise QuoteRefused(InvalidValue(("quote",), quote.code, quote.because))
        check_cart(items, quote.lines)

    def _verify_each(self, items: tuple[OrderItem, ...], customer_id: str, quotes: Quotes) -> None:
        tokens = {token for token in quotes.items if token is not None}
        if len(tokens) > MOST_ITEM_QUOTES:
            because = f"must have at most {MOST_ITEM_QUOTES} quotes; quote the whole cart instead"
            raise QuoteRefused(InvalidValue(("items",), "too_many_quotes", because))
        read: dict[str, ItemQuote | CartQuote | QuoteUnusableError] = {}
        proofs: list[ItemQuote] = []
        refusals: list[InvalidValue] = []
        for index in range(len(items)):
            if len(refusals) >= MOST_REFUSALS:
                break
            token = quotes.of_item(index)
            if token is not None and token not in read:
                read[token] = self._read(token, customer_id)
            quote = _MISSING if token is None else read[token]
            if isinstance(quote, CartQuote):
                quote = QuoteUnusableError("quote_of_a_cart", "is for a cart: it belongs to it")
            if isinstance(quote, QuoteUnusableError):
                refusals.append(InvalidValue(("items", index, "quote"), quote.code, quote.because))
            else:
                proofs.append(quote)
        if refusals:
            raise QuoteRefused(*refusals)
        check_products(items, proofs)
        check_quoted_prices(items, proofs)
        check_limits(items, proofs)

    def _read(self, token: str, customer_id: str) -> ItemQuote | CartQuote | QuoteUnusableError:
        if len(token.partition(".")[0]) > _LONGEST_HEADER:
            # It is read before the signature is proven, so it stays small.
            return QuoteUnusableError("quote_invalid", "has too long a header")
        try:
            # What was authentic stays so. The time, and for whom it is, are looked at each time.
            quote = self._kept.get(token) or read_quote(self._proven(token))
            now = self._clock.now().timestamp()
            quote.validity.check(now, self._skew_seconds, customer_id)
        except InvalidToken as error:
            return QuoteUnusableError("quote_invalid", f"is not one of the shop's: {error.because}")
        except QuoteUnusableError as error:
            return error
        if isinstance(quote, ItemQuote) and token not in self._kept:
            self._keep(token, quote)
        return quote

    def _keep(self, token: str, quote: ItemQuote) -> None:
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[token] = quote


_MISSING: Final = QuoteUnusableError("quote_missing", "is required: nothing else proves the price")
