"""Read one's own orders."""

from dataclasses import dataclass

from order_core.errors import NotTheOwner
from order_core.events import Happened
from order_core.order import Order
from order_core.ports import (
    OrderPage,
    OrderQuery,
    OrderRepository,
    OwnerView,
    ViewedOrder,
    ViewedPage,
)


@dataclass(frozen=True, slots=True)
class GetOrder:
    """One order, to its owner."""

    orders: OrderRepository

    async def __call__(self, order_id: str, *, customer_id: str | None) -> Order:
        """The order, if it is this customer's; `customer_id` None is staff, who read all.

        Raises:
            OrderNotFound, NotTheOwner: it is not.
        """
        order = await self.orders.get(order_id)
        if customer_id is not None and order.customer_id != customer_id:
            raise NotTheOwner(order_id)
        return order


@dataclass(frozen=True, slots=True)
class ShowOrder:
    """One order as its owner sees it, to its owner."""

    orders: OrderRepository

    async def __call__(self, order_id: str, *, customer_id: str, view: OwnerView) -> ViewedOrder:
        """The order as `view` writes it, if it is this customer's.

        Raises:
            OrderNotFound, NotTheOwner: it is not.
        """
        order = await self.orders.show(order_id, view)
        if order.customer_id != customer_id:
            raise NotTheOwner(order_id)
        return order


@dataclass(frozen=True, slots=True)
class ListOrders:
    """Orders by the page; whose, is in the query."""

    orders: OrderRepository

    async def __call__(self, query: OrderQuery) -> OrderPage:
        """A page of orders, newest first."""
        return await self.orders.list(query)


@dataclass(frozen=True, slots=True)
class ShowOrders:
    """Orders as their owner sees them, by the page; whose, is in the query."""

    orders: OrderRepository

    async def __call__(self, query: OrderQuery, *, view: OwnerView) -> ViewedPage:
        """A page of orders as `view` writes them, newest first."""
        return await self.orders.show_list(query, view)


@dataclass(frozen=True, slots=True)
class GetHistory:
    """The evidence of one order, to its owner."""

    orders: OrderRepository

    async def __call__(self, order_id: str, *, customer_id: str | None) -> tuple[Happened, ...]:
        """Everything that happened to the order, oldest first; None is staff, who read all.

        Raises:
            OrderNotFound, NotTheOwner: it is not an order of this customer.
        """
        history = await self.orders.history(order_id)
        if customer_id is not None and history.customer_id != customer_id:
            raise NotTheOwner(order_id)
        return history.entries
