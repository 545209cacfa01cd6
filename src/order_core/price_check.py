"""The prices that a client claims beside those of the shop."""

from collections.abc import Callable, Mapping

from order_core.errors import PriceMismatch, WrongPrice
from order_core.money import Money
from order_core.order_item import OrderItem

PriceList = Mapping[str, Money]
"""Currency -> what one piece of a product costs in it. Empty: the product is not for sale."""


def check_prices(
    items: tuple[OrderItem, ...], right_prices: Callable[[OrderItem], PriceList]
) -> None:
    """Compare each item's price with the right one in its currency.

    Raises:
        PriceMismatch: with every item that differs, in their order.
    """
    found = (wrong_price(index, item, right_prices(item)) for index, item in enumerate(items))
    if wrong := [each for each in found if each is not None]:
        raise PriceMismatch(*wrong)


def wrong_price(index: int, item: OrderItem, right: PriceList) -> WrongPrice | None:
    """What is wrong with the price that the item at this place claims, if anything is."""
    if not right:
        return WrongPrice(index, item.product_id, "product_unknown", "is not for sale")
    price = right.get(item.price.currency)
    if price == item.price:
        return None
    if price is not None:
        return _costs(index, item, "price_mismatch", price)
    if len(right) == 1:
        return _costs(index, item, "currency_mismatch", next(iter(right.values())))
    currencies = ", ".join(sorted(right))
    because = f"is not sold in {item.price.currency}, but in {currencies}"
    return WrongPrice(index, item.product_id, "currency_mismatch", because)


def _costs(index: int, item: OrderItem, code: str, right: Money) -> WrongPrice:
    because = f"costs {right}"
    return WrongPrice(index, item.product_id, code, because, right.plain(), right.currency)
