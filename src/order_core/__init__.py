"""Orders and money that never disagree: the domain, its ports and its use cases."""

from order_core.assembly import OrderCore, assemble
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_item import OrderItem
from order_core.order_request import OrderRequest
from order_core.order_status import OrderStatus
from order_core.payment import PaymentTransaction
from order_core.payment_terms import GatewayProfile, Policy
from order_core.shipping_address import ShippingAddress

__all__ = [
    "GatewayProfile",
    "Money",
    "Order",
    "OrderCore",
    "OrderItem",
    "OrderRequest",
    "OrderStatus",
    "PaymentStatus",
    "PaymentTransaction",
    "Policy",
    "ShippingAddress",
    "assemble",
]
