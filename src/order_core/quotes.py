"""What a client shows to prove its prices: words that the shop has signed."""

from dataclasses import dataclass, field
from typing import Final

from order_core.errors import InvalidValue

LONGEST_ITEM_QUOTE: Final = 2_048
LONGEST_CART_QUOTE: Final = 131_072
"""Characters: room for a cart of `MAX_ITEMS` lines, and small beside the largest body."""


@dataclass(frozen=True, slots=True)
class Quotes:
    """A quote for the whole cart, quotes for single items (by their place), or none.

    They prove prices and are not part of what is ordered: a request that comes again with
    fresh quotes is the same request, and nothing of them is stored.

    Raises:
        InvalidValue: a quote is empty or too long.
    """

    cart: str | None = field(default=None, repr=False)
    items: tuple[str | None, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.cart is not None:
            _refuse_unless_short(self.cart, ("quote",), LONGEST_CART_QUOTE)
        for index, quote in enumerate(self.items):
            if quote is not None:
                _refuse_unless_short(quote, ("items", index, "quote"), LONGEST_ITEM_QUOTE)

    def of_item(self, index: int) -> str | None:
        """The quote for the item at this place, if it has one of its own."""
        return self.items[index] if index < len(self.items) else None

    @property
    def has_any_of_items(self) -> bool:
        """Whether at least one item has a quote of its own."""
        return any(quote is not None for quote in self.items)


NO_QUOTES: Final = Quotes()


def _refuse_unless_short(quote: str, place: tuple[str | int, ...], longest: int) -> None:
    if not quote:
        raise InvalidValue(place, "empty", "must not be empty")
    if len(quote) > longest:
        raise InvalidValue(place, "too_long", f"must not be longer than {longest} characters")
