"""The endpoint POST /api/orders/create."""

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionStatus
from order_core.ports.token_verifier import Principal
from order_http.arrival import waited_since_arrival
from order_http.desk import Desk, address_of
from order_http.idempotency_key import idempotency_key
from order_http.json_body import read_json
from order_http.order_json import json_response, order_json
from order_http.order_reading import read_order_request
from order_http.problems import Problem
from order_http.rate_limits import address_in

_ASK_AGAIN_SECONDS: Final = "2"


async def place_order(desk: Desk, request: Request, principal: Principal) -> Response:
    """201 placed, 202 open, 402 declined: always the order's present state."""
    key = idempotency_key(request)
    wish = read_order_request(await read_json(request), principal, desk.settings)
    waited = partial(waited_since_arrival, request.scope)
    # All of it goes on when the client has gone, so that nobody hides his declines by leaving.
    order = await desk.in_flight.run(
        desk.card_testing.place(
            desk.core, wish, key=key, address=address_in(request.scope), waited=waited
        )
        if desk.card_testing
        else desk.core.place(wish, key=key, waited=waited())
    )
    headers = {"Location": address_of(request, order.id)}
    match order.status:
        case OrderStatus.AWAITING_PAYMENT:
            headers["Retry-After"] = _ASK_AGAIN_SECONDS
            return json_response(order_json(order), 202, headers)
        case OrderStatus.PAYMENT_FAILED:
            raise _declined(order, headers)
        case _:
            return json_response(order_json(order), 201, headers)


def _declined(order: Order, headers: dict[str, str]) -> Problem:
    charge = order.charge
    declined = charge.status is TransactionStatus.DECLINED
    members = {"order_id": order.id, "decline_code": charge.reason or "declined"}
    if order.captured_minor_units:
        detail = "The payment came too late for this order. What was taken goes back."
        return Problem("payment_failed", detail, headers=headers, members=members)
    if declined:
        detail = "The payment provider declined. No money was taken."
        return Problem("payment_declined", detail, headers=headers, members=members)
    detail = "It is proven that no money was taken. Order again with a new Idempotency-Key."
    return Problem("payment_failed", detail, headers=headers, members=members)
