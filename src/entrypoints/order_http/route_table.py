"""Every address of the API of orders: who may call it, and what keeps strangers out."""

from typing import Final

from order_http import list_query
from order_http.authentication import MANAGE, READ, WRITE
from order_http.cancel_order import cancel_order
from order_http.desk import ORDER_PATH
from order_http.endpoint import Guarded, OwnerRule
from order_http.place_order import place_order
from order_http.read_orders import get_history, get_order, get_tracking, list_orders
from order_http.staff_orders import process_order, refund_order, review_order
from order_http.staff_shipping import deliver_order, ship_order

_LIST: Final = (READ, OwnerRule.OWN_LIST, list_orders, list_query.NAMES)

# The first path that fits is taken: "create" before what could be the id of an order.
API: Final = (
    Guarded("POST", "/api/orders/create", WRITE, OwnerRule.NEW, place_order),
    Guarded("GET", "/api/orders/", *_LIST),
    Guarded("GET", "/api/orders", *_LIST),
    Guarded("GET", ORDER_PATH, READ, OwnerRule.ONE_ORDER, get_order),
    Guarded("POST", f"{ORDER_PATH}/cancel", WRITE, OwnerRule.ONE_ORDER, cancel_order),
    Guarded("GET", f"{ORDER_PATH}/history", READ, OwnerRule.ONE_ORDER, get_history),
    Guarded("GET", f"{ORDER_PATH}/tracking", READ, OwnerRule.ONE_ORDER, get_tracking),
    Guarded("POST", f"{ORDER_PATH}/process", MANAGE, OwnerRule.STAFF, process_order),
    Guarded("POST", f"{ORDER_PATH}/ship", MANAGE, OwnerRule.STAFF, ship_order),
    Guarded("POST", f"{ORDER_PATH}/deliver", MANAGE, OwnerRule.STAFF, deliver_order),
    Guarded("POST", f"{ORDER_PATH}/refunds", MANAGE, OwnerRule.STAFF, refund_order),
    Guarded("POST", f"{ORDER_PATH}/review", MANAGE, OwnerRule.STAFF, review_order),
)
