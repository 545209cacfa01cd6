"""The port through which the core learns what things really cost."""

from typing import Protocol

from order_core.order_item import OrderItem


class Prices(Protocol):
    """The shop's word against the client's claim."""

    async def verify(self, items: tuple[OrderItem, ...], /, *, customer_id: str) -> None:
        """Compare the prices that the client claims with the shop's.

        Raises:
            PriceMismatch: the first item whose price is not the shop's.
        """
        ...
