"""What is bought, and what it costs together."""

from dataclasses import dataclass
from typing import Final

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.text import checked_text

MAX_ITEMS: Final = 1000
MAX_QUANTITY: Final = 1_000_000
LONGEST_PRODUCT_ID: Final = 200


@dataclass(frozen=True, slots=True)
class OrderItem:
    """`quantity` pieces of a product at `price` each.

    Raises:
        InvalidValue: no or too long product id, or a quantity outside 1..`MAX_QUANTITY`.
        TypeError: a quantity that is no int, or a price that is no `Money`, such as a float.
    """

    product_id: str
    quantity: int
    price: Money

    def __post_init__(self) -> None:
        checked_text(self.product_id, "product_id", longest=LONGEST_PRODUCT_ID)
        if type(self.quantity) is not int:
            raise TypeError(f"quantity must be an int, not {type(self.quantity).__name__}")
        if not isinstance(self.price, Money):
            raise TypeError(f"price must be Money, not {type(self.price).__name__}")
        if not 1 <= self.quantity <= MAX_QUANTITY:
            raise InvalidValue(
                ("quantity",), "quantity_out_of_range", f"must be between 1 and {MAX_QUANTITY}"
            )

    @property
    def subtotal(self) -> Money:
        return self.price.times(self.quantity)


def total_of(items: tuple[OrderItem, ...]) -> Money:
    """What the items cost together.

    Raises:
        InvalidValue: no or too many items, two currencies, or a sum of zero or above the
            largest amount.
    """
    if not 1 <= len(items) <= MAX_ITEMS:
        raise InvalidValue(("items",), "item_count", f"must be between 1 and {MAX_ITEMS} items")
    currency, minor_units = items[0].price.currency, 0
    for index, item in enumerate(items):
        price = item.price
        if price.currency != currency:
            raise InvalidValue(
                ("items", index, "price"), "mixed_currencies", f"must be in {currency}"
            )
        minor_units += price.minor_units * item.quantity
    if minor_units == 0:
        raise InvalidValue(("items",), "nothing_to_pay", "must cost something together")
    try:
        return Money(minor_units, currency)
    except InvalidValue as refusal:
        raise refusal.inside("items") from None
