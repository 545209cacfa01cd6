"""A cart beside the one that the shop quoted."""

from collections import Counter
from collections.abc import Mapping, Sequence

from order_core.errors import InvalidValue, PriceMismatch, QuoteRefused
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.price_check import wrong_price

_CODE = "quote_of_another_cart"


def check_cart(items: Sequence[OrderItem], quoted: Sequence[OrderItem]) -> None:
    """Refuse any cart but the quoted one: its prices may depend on all of it.

    How the pieces of a product are spread over lines does not matter.

    Raises:
        PriceMismatch: with every item at another price than the quoted ones of its product.
        QuoteRefused: with everything that is too many, too few or not in the quoted cart.
    """
    prices: dict[str, list[Money]] = {}
    for line in quoted:
        prices.setdefault(line.product_id, []).append(line.price)
    strangers = [
        InvalidValue(("items", index, "product_id"), _CODE, "the quoted cart has no such product")
        for index, item in enumerate(items)
        if item.product_id not in prices
    ]
    if strangers:
        raise QuoteRefused(*strangers)
    _check_prices(items, prices)
    _check_quantities(items, quoted)


def _check_prices(items: Sequence[OrderItem], prices: Mapping[str, Sequence[Money]]) -> None:
    wrong = []
    for index, item in enumerate(items):
        right = prices[item.product_id]
        if item.price not in right:
            found = wrong_price(index, item, {right[0].currency: right[0]})
            wrong += [] if found is None else [found]
    if wrong:
        raise PriceMismatch(*wrong)


def _check_quantities(items: Sequence[OrderItem], quoted: Sequence[OrderItem]) -> None:
    wanted, right = _pieces(items), _pieces(quoted)
    refusals = []
    for index, item in enumerate(items):
        pieces = right[item.product_id, item.price]
        if wanted[item.product_id, item.price] != pieces:
            because = f"the quoted cart has {pieces} of it at this price, on all lines together"
            refusals.append(InvalidValue(("items", index, "quantity"), _CODE, because))
    if missing := len(right.keys() - wanted.keys()):
        because = f"must be the whole quoted cart: {missing} of its lines are missing"
        refusals.append(InvalidValue(("items",), _CODE, because))
    if refusals:
        raise QuoteRefused(*refusals)


def _pieces(items: Sequence[OrderItem]) -> Counter[tuple[str, Money]]:
    pieces: Counter[tuple[str, Money]] = Counter()
    for item in items:
        pieces[item.product_id, item.price] += item.quantity
    return pieces
