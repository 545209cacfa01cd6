"""How the prices that clients claim are checked."""

import logging
from typing import Final

from order_core.order_item import OrderItem

_log: Final = logging.getLogger("order_core.prices")


class TrustedPrices:
    """Believes every price, because the shop chose so in as many words."""

    def __init__(self) -> None:
        _log.warning(
            "prices are trusted: whoever holds a token decides what things cost "
            "(ORDER_CORE_PRICES=trust)"
        )

    async def verify(self, items: tuple[OrderItem, ...], /, *, customer_id: str) -> None:
        """Accept every price."""
