"""Prices in memory: a shop that believes its clients, and one that does not."""

from collections.abc import Mapping

from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.price_check import check_prices
from order_core.quotes import Quotes


class TrustedPrices:
    """Takes every claimed price for the right one."""

    async def verify(
        self, items: tuple[OrderItem, ...], /, *, customer_id: str, quotes: Quotes
    ) -> None:
        pass


class CataloguePrices:
    """Sells exactly what `prices` (product id -> price) holds, at that price, to everybody."""

    def __init__(self, prices: Mapping[str, Money]) -> None:
        self._prices = {product: {price.currency: price} for product, price in prices.items()}

    async def verify(
        self,
        items: tuple[OrderItem, ...],
        /,
        *,
        customer_id: str,  # noqa: ARG002 - everybody pays the same here
        quotes: Quotes,  # noqa: ARG002 - the catalogue needs no proof
    ) -> None:
        check_prices(items, lambda item: self._prices.get(item.product_id, {}))
