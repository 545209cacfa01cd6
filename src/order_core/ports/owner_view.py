"""The port that writes an order down as its owner sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from order_core.order import Order


class OwnerView(Protocol):
    """How an order looks to its owner, as one text: a pure function of the order.

    A repository may keep the text with the order that it was made from, and answer with it
    as long as the order is the same and the edition too.
    """

    @property
    def edition(self) -> str:
        """Another one as soon as any order would be written in another way."""
        ...

    def text_of(self, order: Order, /) -> str:
        """The order, written down."""
        ...


class ViewedOrder(NamedTuple):
    """An order as its owner sees it, and what is needed to find it and the ones after it."""

    id: str
    customer_id: str
    created_at: datetime
    text: str

    @classmethod
    def of(cls, order: Order, view: OwnerView) -> "ViewedOrder":
        """The order, written down now."""
        return cls(order.id, order.customer_id, order.created_at, view.text_of(order))


@dataclass(frozen=True, slots=True)
class ViewedPage:
    """A page of a list."""

    orders: tuple[ViewedOrder, ...]
    has_more: bool
