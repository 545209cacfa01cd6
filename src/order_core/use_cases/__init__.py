"""What callers do with orders: one use case a module."""

from order_core.order_request import OrderRequest
from order_core.use_cases.cancel_order import CancelOrder
from order_core.use_cases.place_order import PlaceOrder
from order_core.use_cases.read_orders import GetHistory, GetOrder, ListOrders
from order_core.use_cases.recover import Recover
from order_core.use_cases.settle import Settle
from order_core.use_cases.tell_customers import TellCustomers

__all__ = [
    "CancelOrder",
    "GetHistory",
    "GetOrder",
    "ListOrders",
    "OrderRequest",
    "PlaceOrder",
    "Recover",
    "Settle",
    "TellCustomers",
]
