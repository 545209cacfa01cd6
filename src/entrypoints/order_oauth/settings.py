"""What the tokens of this issuer say, and how long they live."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from order_http.authentication import MANAGE, READ, WRITE

SCOPES: Final = frozenset({READ, WRITE, MANAGE})
"""All that there are. A client has some of them."""

OF_CUSTOMERS: Final = frozenset({READ, WRITE})
"""What a token for a customer may say. With orders:manage the customer would be staff."""

MOST_GRANTS_OF_SUBJECT: Final = 10
"""Refresh tokens that one client has for one customer; a further one ends the oldest."""

KEY_SIGNS_FOR: Final = timedelta(days=30)
KEY_IS_ANNOUNCED: Final = timedelta(days=1)
"""How long a new key is published before it signs: longer than anybody keeps our key set."""
KEY_SET_IS_FRESH_FOR: Final = timedelta(hours=1)
LEEWAY: Final = timedelta(minutes=5)
"""The most by which the clock of somebody who checks our tokens may be late."""


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """The names in the tokens, and their lives.

    Raises:
        ValueError: a life that is not positive, or an idle life beyond the absolute one.
    """

    issuer: str
    """An origin, such as https://shop.example: our endpoints are below it."""
    audience: str
    access_lifetime: timedelta = timedelta(minutes=10)
    """Nothing calls an access token back, so this is how long a thief may use one."""
    refresh_idle: timedelta = timedelta(days=14)
    refresh_lifetime: timedelta = timedelta(days=90)
    """Of a whole family, however often it is rotated."""

    def __post_init__(self) -> None:
        if not timedelta(0) < self.access_lifetime <= KEY_SIGNS_FOR:
            raise ValueError(f"an access token lives for up to {KEY_SIGNS_FOR.days} days")
        if not timedelta(0) < self.refresh_idle <= self.refresh_lifetime:
            raise ValueError("an idle refresh token cannot live longer than its family")
