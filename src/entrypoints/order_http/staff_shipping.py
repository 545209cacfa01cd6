"""The endpoints POST /api/orders/{order_id}/ship and /deliver, for staff."""

from starlette.requests import Request
from starlette.responses import Response

from order_core.ports.token_verifier import Principal
from order_http.desk import Desk
from order_http.idempotency_key import idempotency_key
from order_http.json_body import read_json
from order_http.order_json import json_response
from order_http.read_orders import order_id_of
from order_http.shapes import read_shape
from order_http.staff_bodies import ShipBody
from order_http.staff_json import order_for


async def ship_order(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 with the shipped order; the same parcel again is no other one."""
    order_id, key = order_id_of(request), idempotency_key(request)
    body = read_shape(ShipBody, await read_json(request))
    shipping = desk.core.ship(
        order_id,
        carrier=body.carrier,
        tracking_number=body.tracking_number,
        by=principal.by,
        key=key,
    )
    return json_response(order_for(principal, await desk.in_flight.run(shipping)))


async def deliver_order(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 with the delivered order."""
    order_id, key = order_id_of(request), idempotency_key(request)
    delivering = desk.core.deliver(order_id, by=principal.by, key=key)
    return json_response(order_for(principal, await desk.in_flight.run(delivering)))
