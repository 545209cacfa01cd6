"""Prices in memory: a shop that believes its clients, and one that does not."""

from collections.abc import Mapping

from order_core.errors import PriceMismatch
from order_core.money import Money
from order_core.order_item import OrderItem


class TrustedPrices:
    """Takes every claimed price for the right one."""

    async def verify(self, items: tuple[OrderItem, ...], /, *, customer_id: str) -> None:
        pass


class CataloguePrices:
    """Sells exactly what `prices` (product id -> price) holds, at that price, to everybody."""

    def __init__(self, prices: Mapping[str, Money]) -> None:
        self._prices = dict(prices)

    async def verify(self, items: tuple[OrderItem, ...], /, *, customer_id: str) -> None:  # noqa: ARG002 - everybody pays the same here
        for index, item in enumerate(items):
            right = self._prices.get(item.product_id)
            if right != item.price:
                raise PriceMismatch(index, item.product_id, str(right) if right else None)
