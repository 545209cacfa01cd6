"""The endpoint POST /api/orders/{order_id}/cancel."""

from starlette.requests import Request
from starlette.responses import Response

from order_core.order import Order, PaymentStatus
from order_core.ports.token_verifier import Principal
from order_http.desk import Desk
from order_http.idempotency_key import idempotency_key
from order_http.order_json import json_response, order_json
from order_http.read_orders import order_id_of


async def cancel_order(desk: Desk, request: Request, principal: Principal) -> Response:
    """200, however often it is asked for."""
    order_id, key = order_id_of(request), idempotency_key(request)
    order = await desk.in_flight.run(
        desk.core.cancel(order_id, customer_id=principal.subject, actor=principal.actor, key=key)
    )
    return json_response({"message": _message(order), "order": order_json(order)})


def _message(order: Order) -> str:
    match order.payment_status:
        case PaymentStatus.REFUNDED:
            return "The order is cancelled. The payment was given back."
        case PaymentStatus.PAID | PaymentStatus.PARTIALLY_REFUNDED:
            return "The order is cancelled. The payment is on its way back."
        case PaymentStatus.IN_REVIEW:
            return "The order is cancelled. A person looks after the payment."
        case _ if order.charge.is_open:
            return "The order is cancelled. Should the payment still arrive, it is given back."
        case _:
            return "The order is cancelled."
