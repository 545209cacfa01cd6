"""A shop's backend: it signs quotes, and so do those who would like to."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import jwt

from order_core.money import Money
from order_core.order_item import OrderItem
from order_jwt import VerificationKey
from order_jwt.signing import ClaimsOfOneKind, sign
from order_memory import ManualClock
from order_memory.contracts.prices import PRICES
from order_prices import QUOTE_TYPE, SignedPrices, cart_claims, item_claims

SECRET: Final = "the shop signs its price tags with this secret"
OTHER_SECRET: Final = "a competitor signs his price tags with this one, and so would others"
SKEW: Final = timedelta(seconds=30)
HOUR: Final = timedelta(hours=1)


class QuotingShop:
    """Sells `PRICES` at prices that it proves by HS256."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        key = VerificationKey.from_secret(SECRET)
        self.prices = SignedPrices(ClaimsOfOneKind(key, QUOTE_TYPE), self.clock, skew=SKEW)

    def claims(self, product_id: str, price: Money | None = None, **but: Any) -> dict[str, Any]:
        made: dict[str, Any] = {"at": self.clock.now(), "lifetime": HOUR} | but
        return item_claims(product_id, price or PRICES[product_id], **made)

    def quote(self, product_id: str, price: Money | None = None, **but: Any) -> str:
        return signed(self.claims(product_id, price, **but))

    def cart(self, *items: OrderItem, **but: Any) -> str:
        made: dict[str, Any] = {"at": self.clock.now(), "lifetime": HOUR} | but
        return signed(cart_claims(items, **made))


def signed(claims: Mapping[str, Any], secret: str = SECRET, kind: str = QUOTE_TYPE) -> str:
    return sign(secret, claims, kind=kind)


def forged(claims: Mapping[str, Any], key: Any, algorithm: str, **header: Any) -> str:
    """Whatever PyJWT can be brought to sign."""
    return jwt.encode(dict(claims), key, algorithm, {"typ": QUOTE_TYPE, **header})
