"""The endpoints GET /api/orders/, /api/orders/{order_id} and /api/orders/{order_id}/history."""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from order_core.errors import OrderNotFound, StoreUnavailable
from order_core.ports.token_verifier import Principal
from order_http.list_query import list_query, next_page
from order_http.order_json import history_json, json_response, order_json
from order_http.resource import Desk

ORDER_ID: Final = re.compile(r"[A-Za-z0-9-]{1,36}")

T = TypeVar("T")


def order_id_of(request: Request) -> str:
    """The id in the path.

    Raises:
        OrderNotFound: no order can have this id, so no store is asked for it.
    """
    order_id: str = request.path_params["order_id"]
    if not ORDER_ID.fullmatch(order_id):
        raise OrderNotFound(order_id)
    return order_id


async def get_order(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 to the owner."""
    reading = desk.core.get(order_id_of(request), customer_id=principal.subject)
    return json_response(order_json(await _in_time(desk, reading)))


async def list_orders(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 with an array, newest first, and the address of the next page in `Link`."""
    query = list_query(request, principal.subject)
    page = await _in_time(desk, desk.core.list(query))
    headers = {}
    if page.has_more and page.orders:
        headers["Link"] = next_page(request, query, page.orders[-1])
    return json_response([order_json(order) for order in page.orders], headers=headers)


async def get_history(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 to the owner, oldest entry first."""
    reading = desk.core.history(order_id_of(request), customer_id=principal.subject)
    return json_response(history_json(await _in_time(desk, reading)))


async def _in_time(desk: Desk, reading: Coroutine[Any, Any, T]) -> T:
    try:
        async with asyncio.timeout(desk.settings.request_timeout_seconds):
            return await reading
    except TimeoutError:
        raise StoreUnavailable("The store did not answer in time.") from None
