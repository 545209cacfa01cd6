"""Prices that are believed."""

from order_core.order_item import OrderItem
from order_core.quotes import Quotes


class TrustedPrices:
    """Believes every price, because the shop chose so in as many words. Keeps the port `Prices`."""

    async def verify(
        self, items: tuple[OrderItem, ...], /, *, customer_id: str, quotes: Quotes
    ) -> None:
        """Accept every price."""
