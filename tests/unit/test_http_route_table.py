"""No route without an owner rule, and none that the OpenAPI document does not know."""

import re
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from order_core.ports import Principal
from order_http.app import build_app
from order_http.authentication import MANAGE, READ, WRITE
from order_http.desk import ORDER_PATH, Desk
from order_http.documented_operations import OPERATIONS
from order_http.endpoint import Guarded, OwnerRule, Public, UnguardedRoute
from order_http.resource import Resource
from order_http.route_table import API
from order_http.settings import HttpSettings
from order_memory import in_memory_shop
from tests.unit.http_service import TOKENS, no_figures, service, store_is_up

# The document describes the API; a page for people, and a second spelling, are no part of it.
NOT_DOCUMENTED = {"/openapi.json", "/docs", "/docs/rapidoc.js", "/api/orders"}


async def leak(request: Request) -> Response:
    return PlainTextResponse("every order of everybody")


async def work(desk: Desk, request: Request, principal: Principal) -> Response:
    return PlainTextResponse("what belongs to the caller")


def test_a_bare_route_of_a_host_is_refused_by_the_type_and_when_the_service_is_built() -> None:
    with pytest.raises(UnguardedRoute) as refusal:
        build_app(
            in_memory_shop().core,
            TOKENS,
            settings=HttpSettings(),
            probe=store_is_up,
            figures=no_figures,
            # mypy refuses it too: it complains about an exception that is not needed.
            extra_routes=[Route("/leak", leak)],  # type: ignore[list-item]
        )

    assert str(refusal.value) == (
        "Route(path='/leak', name='leak', methods=['GET', 'HEAD']) does not say what keeps "
        "strangers out: it must be a Guarded or a Public of order_http.endpoint."
    )


@pytest.mark.parametrize("bare", [leak, Mount("/leak", routes=[]), ("GET", "/leak", leak), None])
def test_nothing_else_that_could_answer_is_served_either(bare: Any) -> None:
    with pytest.raises(UnguardedRoute, match="does not say what keeps strangers out"):
        service(extra_routes=[bare])


def test_an_endpoint_without_an_owner_rule_is_not_even_made() -> None:
    with pytest.raises(TypeError, match="owner_rule"):
        Guarded("GET", "/api/refunds", READ, work=work)  # type: ignore[call-arg]
    with pytest.raises(
        UnguardedRoute,
        match=r"^GET /api/refunds has no owner rule: it must be one of "
        r"ONE_ORDER, OWN_LIST, NEW, STAFF\.$",
    ):
        Guarded("GET", "/api/refunds", READ, None, work)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "scope", "rule"),
    [
        ("/api/refunds", READ, OwnerRule.STAFF),
        (ORDER_PATH, MANAGE, OwnerRule.ONE_ORDER),
        ("/api/refunds", READ, OwnerRule.ONE_ORDER),
        ("/api/carts/{cart_id}", READ, OwnerRule.ONE_ORDER),
        (f"{ORDER_PATH}/returns", WRITE, OwnerRule.NEW),
        (f"{ORDER_PATH}/returns", READ, OwnerRule.OWN_LIST),
    ],
)
def test_an_owner_rule_that_its_scope_or_path_belies_is_refused(
    path: str, scope: str, rule: OwnerRule
) -> None:
    with pytest.raises(UnguardedRoute, match=re.escape(f"POST {path} ")):
        Guarded("POST", path, scope, rule, work)


@pytest.mark.parametrize("why", ["", "  ", None])
def test_a_public_endpoint_says_why(why: Any) -> None:
    with pytest.raises(UnguardedRoute, match=r"^GET /weather is public and does not say why\.$"):
        Public("GET", "/weather", leak, why)


@pytest.mark.parametrize("path", [ORDER_PATH, f"{ORDER_PATH}/receipt", "/api/orders/latest"])
def test_nothing_below_the_orders_can_be_public(path: str) -> None:
    with pytest.raises(UnguardedRoute, match="nothing below /api/orders may be"):
        Public("GET", path, leak, "the receipt is asked for by printers, which have no token")


def test_an_address_is_given_once() -> None:
    with pytest.raises(ValueError, match="GET /health/live is there twice"):
        service(extra_routes=[Public("GET", "/health/live", leak, "it looks harmless")])


def test_everything_that_the_service_answers_is_in_its_table() -> None:
    app = service()

    assert all(
        isinstance(route, Route) and isinstance(route.endpoint, Resource) for route in app.routes
    )
    assert {endpoint.path for endpoint in app.state.endpoints} == {
        route.path for route in app.routes if isinstance(route, Route)
    }


def test_the_openapi_document_and_the_table_are_the_same() -> None:
    served = {
        (endpoint.method, endpoint.path, getattr(endpoint, "scope", None))
        for endpoint in service().state.endpoints
        if endpoint.path not in NOT_DOCUMENTED
    }
    documented = {(each.method.upper(), each.path, each.scope) for each in OPERATIONS}

    assert served == documented
    assert {endpoint.path for endpoint in API} & NOT_DOCUMENTED == {"/api/orders"}


def test_the_document_says_how_each_owner_rule_refuses() -> None:
    rule_of: dict[tuple[str, str], OwnerRule] = {
        (endpoint.method, endpoint.path): endpoint.owner_rule for endpoint in API
    }
    refusals = {"not_your_order", "order_not_found"}
    for operation in OPERATIONS:
        match rule_of.get((operation.method.upper(), operation.path)):
            case OwnerRule.ONE_ORDER:
                expected = refusals
            case OwnerRule.STAFF:
                expected = refusals - {"not_your_order"}
            case _:
                expected = set()
        assert refusals & set(operation.codes) == expected, operation.id
