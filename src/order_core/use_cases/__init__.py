"""What callers do with orders: one use case a module."""

from order_core.order_request import OrderRequest
from order_core.use_cases.cancel_order import CancelOrder
from order_core.use_cases.deliver_order import DeliverOrder
from order_core.use_cases.erase_customer import EraseCustomer, ErasedOrder
from order_core.use_cases.export_customer import ExportCustomer
from order_core.use_cases.forget_leftovers import ForgetLeftovers
from order_core.use_cases.list_waiting import ListWaiting, Waiting
from order_core.use_cases.match_events import MatchEvents
from order_core.use_cases.place_order import PlaceOrder
from order_core.use_cases.process_order import ProcessOrder
from order_core.use_cases.read_orders import (
    GetHistory,
    GetOrder,
    ListOrders,
    ShowOrder,
    ShowOrders,
)
from order_core.use_cases.receive_webhook import ReceiveWebhook
from order_core.use_cases.reconcile import Reconcile
from order_core.use_cases.recover import Recover
from order_core.use_cases.refund_order import RefundOrder
from order_core.use_cases.review_order import ReviewOrder
from order_core.use_cases.settle import Settle
from order_core.use_cases.ship_order import ShipOrder
from order_core.use_cases.tell_customers import TellCustomers
from order_core.use_cases.verify_orders import VerifyOrders

__all__ = [
    "CancelOrder",
    "DeliverOrder",
    "EraseCustomer",
    "ErasedOrder",
    "ExportCustomer",
    "ForgetLeftovers",
    "GetHistory",
    "GetOrder",
    "ListOrders",
    "ListWaiting",
    "MatchEvents",
    "OrderRequest",
    "PlaceOrder",
    "ProcessOrder",
    "ReceiveWebhook",
    "Reconcile",
    "Recover",
    "RefundOrder",
    "ReviewOrder",
    "Settle",
    "ShipOrder",
    "ShowOrder",
    "ShowOrders",
    "TellCustomers",
    "VerifyOrders",
    "Waiting",
]
