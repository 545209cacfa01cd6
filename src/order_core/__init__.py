"""Orders and money that never disagree: the domain, its ports and its use cases.

The names below are loaded when they are first used, so that a program which imports
the library does not wait for the parts that it never touches.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from order_core.assembly import OrderCore, assemble
    from order_core.money import Money
    from order_core.order import Order, PaymentStatus
    from order_core.order_item import OrderItem
    from order_core.order_request import OrderRequest
    from order_core.order_status import OrderStatus
    from order_core.payment import PaymentTransaction
    from order_core.payment_terms import GatewayProfile, Policy
    from order_core.ports.order_repository import OrderQuery
    from order_core.shipping_address import ShippingAddress

__all__ = [
    "GatewayProfile",
    "Money",
    "Order",
    "OrderCore",
    "OrderItem",
    "OrderQuery",
    "OrderRequest",
    "OrderStatus",
    "PaymentStatus",
    "PaymentTransaction",
    "Policy",
    "ShippingAddress",
    "assemble",
]

_HOMES = {
    "GatewayProfile": "payment_terms",
    "Money": "money",
    "Order": "order",
    "OrderCore": "assembly",
    "OrderItem": "order_item",
    "OrderQuery": "ports.order_repository",
    "OrderRequest": "order_request",
    "OrderStatus": "order_status",
    "PaymentStatus": "order",
    "PaymentTransaction": "payment",
    "Policy": "payment_terms",
    "ShippingAddress": "shipping_address",
    "assemble": "assembly",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
