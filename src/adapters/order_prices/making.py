"""The claims of quotes, ready to be signed: for commands and tests, and for shops in Python."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from order_core.money import Money
from order_core.order_item import OrderItem, total_of

LONGEST_LIFETIME: Final = timedelta(days=366)


def item_claims(
    product_id: str,
    price: Money,
    *,
    at: datetime,
    lifetime: timedelta,
    customer_id: str | None = None,
    min_quantity: int | None = None,
    max_quantity: int | None = None,
) -> dict[str, Any]:
    """One piece costs `price` from `at` on: for everybody, or for one customer only.

    Raises:
        ValueError: a lifetime outside 1 second..`LONGEST_LIFETIME`.
        InvalidValue: a product id or quantity that no order could have.
    """
    for quantity in (min_quantity or 1, max_quantity or 1):
        OrderItem(product_id, quantity, price)
    claims = _common(price.currency, at, lifetime, customer_id)
    claims |= {"product_id": product_id, "price": price.plain()}
    if min_quantity is not None:
        claims["min_quantity"] = min_quantity
    if max_quantity is not None:
        claims["max_quantity"] = max_quantity
    return claims


def cart_claims(
    items: Iterable[OrderItem],
    *,
    at: datetime,
    lifetime: timedelta,
    customer_id: str | None = None,
) -> dict[str, Any]:
    """These lines together, and nothing more or less, cost what they say.

    Raises:
        ValueError: as `item_claims`.
        InvalidValue: a cart that no order could have.
    """
    lines = tuple(items)
    claims = _common(total_of(lines).currency, at, lifetime, customer_id)
    claims["items"] = [
        {"product_id": line.product_id, "price": line.price.plain(), "quantity": line.quantity}
        for line in lines
    ]
    return claims


def _common(
    currency: str, at: datetime, lifetime: timedelta, customer_id: str | None
) -> dict[str, Any]:
    if not timedelta(seconds=1) <= lifetime <= LONGEST_LIFETIME:
        raise ValueError(
            f"the lifetime of a quote must be between 1 second and {LONGEST_LIFETIME.days} days"
        )
    if customer_id is not None and not customer_id.strip():
        raise ValueError("the customer of a quote, where given, must not be empty")
    begins = int(at.timestamp())
    claims: dict[str, Any] = {
        "iat": begins,
        "exp": begins + int(lifetime.total_seconds()),
        "currency": currency,
    }
    return claims | ({} if customer_id is None else {"sub": customer_id})
