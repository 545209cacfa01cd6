"""What things cost: by the shop's catalogue, by quotes that it signed, or by trust."""

from order_prices.catalogue import CatalogueInvalid
from order_prices.catalogue_file import CatalogueFilePrices
from order_prices.making import cart_claims, item_claims
from order_prices.quote import QUOTE_TYPE
from order_prices.signed import SignedPrices
from order_prices.trust import TrustedPrices

__all__ = [
    "QUOTE_TYPE",
    "CatalogueFilePrices",
    "CatalogueInvalid",
    "SignedPrices",
    "TrustedPrices",
    "cart_claims",
    "item_claims",
]
