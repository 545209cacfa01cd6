"""The endpoints GET /api/orders/, /api/orders/{order_id}, and its /history and /tracking."""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from order_core.errors import OrderNotFound, StoreUnavailable
from order_core.order import Order
from order_core.ports import OrderPage, ViewedPage
from order_core.ports.token_verifier import Principal
from order_http.authentication import is_staff
from order_http.desk import Desk
from order_http.list_query import ListRequest, list_request
from order_http.order_json import (
    history_json,
    json_response,
    json_text_response,
    tracking_json,
)
from order_http.owner_view import OWNER_VIEW
from order_http.staff_json import order_for

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
    """200 to the owner, and to staff."""
    order_id = order_id_of(request)
    if is_staff(principal):
        return json_response(order_for(principal, await read_order(desk, order_id, principal)))
    showing = desk.core.show(order_id, customer_id=principal.subject, view=OWNER_VIEW)
    return json_text_response((await _in_time(desk, showing)).text)


async def list_orders(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 with an array, newest first, and the address of the next page in `Link`."""
    asked = list_request(request.scope["query_string"])
    query = asked.of(principal)
    if is_staff(principal):
        page = await _in_time(desk, desk.core.list(query))
        orders = [order_for(principal, each) for each in page.orders]
        return json_response(orders, headers=_link(request, asked, page))
    shown = await _in_time(desk, desk.core.show_list(query, view=OWNER_VIEW))
    text = f"[{','.join(shown.texts)}]"
    return json_text_response(text, headers=_link(request, asked, shown))


def _link(request: Request, asked: ListRequest, page: OrderPage | ViewedPage) -> dict[str, str]:
    before = page.next_before
    root = request.scope.get("root_path", "")
    return {"Link": asked.next_page(root, before)} if before else {}


async def get_history(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 to the owner and to staff, oldest entry first."""
    order_id = order_id_of(request)
    reading = desk.core.history(order_id, customer_id=_owner(principal))
    return json_response(history_json(await _in_time(desk, reading), for_staff=is_staff(principal)))


async def get_tracking(desk: Desk, request: Request, principal: Principal) -> Response:
    """200 to the owner and to staff: every parcel that left, none before the first one."""
    order = await read_order(desk, order_id_of(request), principal)
    return json_response(tracking_json(order))


async def read_order(desk: Desk, order_id: str, principal: Principal) -> Order:
    """The order, if it is the caller's own or he is staff.

    Raises:
        OrderNotFound, NotTheOwner: it is neither.
        StoreUnavailable: the store did not answer in time.
    """
    return await _in_time(desk, desk.core.get(order_id, customer_id=_owner(principal)))


def _owner(principal: Principal) -> str | None:
    return None if is_staff(principal) else principal.subject


async def _in_time(desk: Desk, reading: Coroutine[Any, Any, T]) -> T:
    try:
        async with asyncio.timeout(desk.settings.request_timeout_seconds):
            return await reading
    except TimeoutError:
        raise StoreUnavailable("The store did not answer in time.") from None
