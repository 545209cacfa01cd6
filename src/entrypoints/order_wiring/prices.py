"""How the prices that clients claim are checked."""

import logging
from typing import Final

from order_core.order_item import OrderItem
from order_core.ports import Clock, Prices
from order_core.quotes import Quotes
from order_prices import CatalogueFilePrices, CatalogueInvalid, SignedPrices, TrustedPrices
from order_wiring.given_variables import PREFIX
from order_wiring.mistakes import ConfigurationInvalid, Mistake
from order_wiring.quotes import proven_quotes
from order_wiring.settings import Settings

_log: Final = logging.getLogger("order_core.prices")


class UndecidedPrices:
    """For processes that place no orders: nobody said how prices are checked."""

    async def verify(
        self,
        items: tuple[OrderItem, ...],
        /,
        *,
        customer_id: str,  # noqa: ARG002 - not for the log, where this error ends
        quotes: Quotes,  # noqa: ARG002 - nobody said what they would prove
    ) -> None:
        """Refuse to guess."""
        raise RuntimeError(
            f"this process was not told how to check prices, so {len(items)} cannot be checked"
        )


def prices_of(settings: Settings, clock: Clock) -> Prices:
    """The shop's choice.

    Raises:
        ConfigurationInvalid: the catalogue holds mistakes, each named, or there is no usable
            key of quotes.
    """
    if settings.catalogue_file is not None:
        try:
            return CatalogueFilePrices(settings.catalogue_file)
        except CatalogueInvalid as error:
            raise ConfigurationInvalid(
                Mistake(f"{PREFIX}PRICES", f"{settings.catalogue_file}, {mistake}")
                for mistake in error.mistakes
            ) from None
    match settings.prices:
        case "signed":
            return SignedPrices(proven_quotes(settings), clock, skew=settings.clock_skew)
        case "trust":
            return TrustedPrices()
        case _:
            return UndecidedPrices()


def warn_of_trusted_prices(settings: Settings) -> None:
    """Say once, at the start of a service, what the choice means."""
    if settings.prices == "trust":
        _log.warning(
            "prices are trusted: whoever holds a token decides what things cost "
            "(ORDER_CORE_PRICES=trust)"
        )
