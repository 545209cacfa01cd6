"""Every caller against every route: the attacks are made from the route table itself."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from order_core.ports import OrderQuery, Principal
from order_http.authentication import READ, WRITE
from order_http.desk import ORDER_PATH, Desk
from order_http.endpoint import Endpoint, Guarded, OwnerRule, Public
from order_http.order_json import json_response, order_json
from order_http.place_order import place_order
from tests.attacks.attempts import attempt, attempt_public, attempt_unknown_order
from tests.attacks.callers import CALLERS, NOBODY, STAFF, STRANGER
from tests.attacks.rows import OPEN_ROWS, ROWS, Row, route_of, unattacked
from tests.unit.attacked_shop import shop_in_memory
from tests.unit.http_service import service

ENDPOINTS: tuple[Endpoint, ...] = service().state.endpoints
GUARDED = [endpoint for endpoint in ENDPOINTS if isinstance(endpoint, Guarded)]
PUBLIC = [endpoint for endpoint in ENDPOINTS if isinstance(endpoint, Public)]
OF_ONE_ORDER = [endpoint for endpoint in GUARDED if "{order_id}" in endpoint.path]


def name_of(endpoint: Any) -> str | None:
    return " ".join(route_of(endpoint)) if isinstance(endpoint, Endpoint) else None


def test_every_route_is_attacked() -> None:
    assert unattacked(ENDPOINTS) == set()


@pytest.mark.parametrize("endpoint", GUARDED, ids=name_of)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_caller_gets_what_is_his_and_nothing_else(caller: str, endpoint: Guarded) -> None:
    await attempt(await shop_in_memory(), caller, endpoint, ROWS[route_of(endpoint)])


@pytest.mark.parametrize("endpoint", OF_ONE_ORDER, ids=name_of)
@pytest.mark.parametrize("caller", [STRANGER, STAFF, NOBODY])
async def test_an_order_that_is_not_there_is_refused_in_the_same_form(
    caller: str, endpoint: Guarded
) -> None:
    await attempt_unknown_order(await shop_in_memory(), caller, endpoint, ROWS[route_of(endpoint)])


@pytest.mark.parametrize("endpoint", PUBLIC, ids=name_of)
@pytest.mark.parametrize("caller", [STRANGER, "forged", NOBODY])
async def test_what_needs_no_token_tells_nothing_of_anybody(caller: str, endpoint: Public) -> None:
    await attempt_public(await shop_in_memory(), caller, endpoint, OPEN_ROWS[route_of(endpoint)])


# The attacks themselves must be able to find something ----------------------------------------


async def _reads_for_anybody(desk: Desk, request: Request, principal: Principal) -> Response:
    order = await desk.core.get(request.path_params["order_id"], customer_id=None)
    return json_response(order_json(order))


async def _lists_everybodys(desk: Desk, request: Request, principal: Principal) -> Response:
    page = await desk.core.list(OrderQuery(None))
    return json_response([order_json(order) for order in page.orders])


async def _places_for_whom_it_is_told(
    desk: Desk, request: Request, principal: Principal
) -> Response:
    return await place_order(desk, request, replace(principal, subject="customer-victim"))


async def _cancels_before_it_asks(desk: Desk, request: Request, principal: Principal) -> Response:
    order_id = request.path_params["order_id"]
    await desk.core.cancel(order_id, customer_id="customer-victim")
    return await _reads_for_its_owner(desk, request, principal)


async def _reads_for_its_owner(desk: Desk, request: Request, principal: Principal) -> Response:
    order_id = request.path_params["order_id"]
    return json_response(order_json(await desk.core.get(order_id, customer_id=principal.subject)))


_RECEIPT = f"{ORDER_PATH}/receipt"
PLANTED = [
    (Guarded("GET", _RECEIPT, READ, OwnerRule.ONE_ORDER, _reads_for_anybody), Row()),
    (Guarded("POST", _RECEIPT, WRITE, OwnerRule.ONE_ORDER, _cancels_before_it_asks), Row()),
    (Guarded("GET", "/api/receipts", READ, OwnerRule.OWN_LIST, _lists_everybodys), Row()),
    (
        Guarded("POST", "/api/baskets", WRITE, OwnerRule.NEW, _places_for_whom_it_is_told),
        ROWS["POST", "/api/orders/create"],
    ),
]


@pytest.mark.parametrize(("endpoint", "row"), PLANTED, ids=name_of)
async def test_a_planted_route_that_forgets_whose_it_is_is_found(
    endpoint: Guarded, row: Row
) -> None:
    with pytest.raises(AssertionError):
        await attempt(await shop_in_memory(endpoint), STRANGER, endpoint, row)


async def test_a_planted_route_that_asks_whose_it_is_passes() -> None:
    endpoint = Guarded("GET", _RECEIPT, READ, OwnerRule.ONE_ORDER, _reads_for_its_owner)

    for caller in (STRANGER, "victim"):
        await attempt(await shop_in_memory(endpoint), caller, endpoint, Row())


async def test_a_planted_public_route_that_tells_of_an_order_is_found() -> None:
    shop = await shop_in_memory()

    async def latest(request: Request) -> Response:
        return json_response({"latest": shop.order_id})

    endpoint = Public("GET", "/latest", latest, "it is only a number")
    with pytest.raises(AssertionError, match="tells"):
        await attempt_public(
            replace(shop, app=(await shop_in_memory(endpoint)).app), NOBODY, endpoint, Row()
        )


@pytest.mark.parametrize("endpoint", [planted for planted, _ in PLANTED], ids=name_of)
def test_a_planted_route_that_nobody_attacks_is_found(endpoint: Guarded) -> None:
    with_it = service(extra_routes=[endpoint]).state.endpoints

    assert unattacked(with_it) == {route_of(endpoint)}


def test_a_route_that_becomes_public_is_not_attacked_by_its_old_row() -> None:
    public = Public("GET", "/api/receipts", _never, "it was guarded once")

    assert unattacked([public], guarded={route_of(public)}) == {route_of(public)}


async def _never(request: Request) -> Response:
    raise AssertionError
