"""How the prices that clients claim are checked."""

import logging
from typing import Final

from order_core.order_item import OrderItem
from order_core.ports import Prices
from order_core.quotes import Quotes
from order_wiring.settings import Settings

_log: Final = logging.getLogger("order_core.prices")


class TrustedPrices:
    """Believes every price, because the shop chose so in as many words."""

    async def verify(
        self, items: tuple[OrderItem, ...], /, *, customer_id: str, quotes: Quotes
    ) -> None:
        """Accept every price."""


class UndecidedPrices:
    """For processes that place no orders: nobody said how prices are checked."""

    async def verify(
        self, items: tuple[OrderItem, ...], /, *, customer_id: str, quotes: Quotes
    ) -> None:
        """Refuse to guess."""
        raise RuntimeError(
            f"ORDER_CORE_PRICES is not set, so {len(items)} prices of customer {customer_id} "
            "cannot be checked"
        )


def prices_of(settings: Settings) -> Prices:
    """The shop's choice."""
    return UndecidedPrices() if settings.prices is None else TrustedPrices()


def warn_of_trusted_prices(settings: Settings) -> None:
    """Say once, at the start of a service, what the choice means."""
    if settings.prices == "trust":
        _log.warning(
            "prices are trusted: whoever holds a token decides what things cost "
            "(ORDER_CORE_PRICES=trust)"
        )
