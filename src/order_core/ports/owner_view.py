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
    """An order as its owner sees it, and whose it is."""

    customer_id: str
    text: str

    @classmethod
    def of(cls, order: Order, view: OwnerView) -> "ViewedOrder":
        """The order, written down now."""
        return cls(order.customer_id, view.text_of(order))


@dataclass(frozen=True, slots=True)
class ViewedPage:
    """A page of a list, as its owner sees the orders, newest first."""

    texts: tuple[str, ...]
    next_before: tuple[datetime, str] | None
    """`OrderQuery.before` of the next page; None: this is the last one."""
