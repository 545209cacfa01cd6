"""The port through which the core learns what things really cost."""

from typing import Protocol

from order_core.order_item import OrderItem
from order_core.quotes import Quotes


class Prices(Protocol):
    """The shop's word against the client's claim."""

    async def verify(
        self, items: tuple[OrderItem, ...], /, *, customer_id: str, quotes: Quotes
    ) -> None:
        """Compare the prices that the client claims with the shop's, for this customer, now.

        Once it returns, what the client claims is what the shop charges. `quotes` is what the
        client shows as proof; a shop that knows its prices by itself ignores it.

        Raises:
            PriceMismatch: with every item whose price is not the shop's.
            QuoteRefused: with every quote that is missing, or proves nothing here.
        """
        ...
