"""What a request can smuggle in: fields, keys, cursors, filters, methods, and odd paths."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.types import Message

from order_http.endpoint import Guarded
from order_http.route_table import API
from tests.attacks.attempts import assert_refused, assert_tells_nothing
from tests.attacks.callers import NOBODY, STAFF, STRANGER, VICTIM, refusal_of
from tests.attacks.odd_paths import odd_paths
from tests.attacks.rows import BODY_OF_ORDER, BODY_OF_VICTIM, ROWS, route_of
from tests.attacks.site import KEY_OF_VICTIM, Site
from tests.unit.attacked_shop import shop_in_memory
from tests.unit.http_service import errors_of

WRITING = [endpoint for endpoint in API if endpoint.method == "POST"]
WITH_BODY = [endpoint for endpoint in WRITING if ROWS[route_of(endpoint)].body is not None]
WITHOUT_BODY = [endpoint for endpoint in API if ROWS[route_of(endpoint)].body is None]
SMUGGLED: Mapping[str, Any] = {
    "id": "id-000001",
    "order_id": "id-000001",
    "customer_id": "customer-victim",
    "owner": "customer-victim",
    "status": "delivered",
    "payment_status": "paid",
    "total": 0.01,
    "amount_due": 0,
    "transactions": [],
    "version": 99,
    "created_at": "2001-01-01T00:00:00Z",
    "scope": "orders:manage",
    "is_staff": True,
    "__proto__": {"is_staff": True},
    "__class__": "Order",
}


def name_of(endpoint: object) -> str | None:
    return " ".join(route_of(endpoint)) if isinstance(endpoint, Guarded) else None


def rightful(endpoint: Guarded) -> str:
    return STAFF if refusal_of(VICTIM, endpoint) else VICTIM


@pytest.fixture
async def site() -> Site:
    return await shop_in_memory()


# Fields -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=name_of)
async def test_a_field_that_nobody_asked_for_is_refused_by_name(
    site: Site, endpoint: Guarded
) -> None:
    row = ROWS[route_of(endpoint)]
    before = await site.state()
    for name, value in SMUGGLED.items():
        body = {**(row.body or {}), name: value}
        answer = await site.send(rightful(endpoint), endpoint, row, json=body)

        assert answer.status_code == 422, name
        assert errors_of(answer) == {f"/{name}": "unknown_field"}
    assert await site.state() == before


async def test_a_field_smuggled_into_a_line_is_refused_by_name(site: Site) -> None:
    before = await site.state()
    for name, value in SMUGGLED.items():
        (item,) = BODY_OF_ORDER["items"]
        body = {**BODY_OF_ORDER, "items": [{**item, name: value}]}
        async with site.client(VICTIM) as victim:
            answer = await victim.post("/api/orders/create", json=body)

        assert (answer.status_code, errors_of(answer)) == (
            422,
            {f"/items/0/{name}": "unknown_field"},
        )
    assert await site.state() == before


@pytest.mark.parametrize("endpoint", WITHOUT_BODY, ids=name_of)
async def test_a_body_where_none_is_read_changes_nothing_of_the_answer(endpoint: Guarded) -> None:
    with_it, without = await shop_in_memory(), await shop_in_memory()
    row, caller = ROWS[route_of(endpoint)], rightful(endpoint)

    smuggling = await with_it.send(caller, endpoint, row, json=SMUGGLED)
    plain = await without.send(caller, endpoint, row)

    assert smuggling.status_code == plain.status_code
    # Each refusal names its own request, and nothing else may differ.
    told = [re.sub(rb"request:[0-9a-f]+", b"", answer.content) for answer in (smuggling, plain)]
    assert told[0] == told[1]
    assert await with_it.state() == await without.state()


@pytest.mark.parametrize("endpoint", API, ids=name_of)
async def test_who_is_asking_cannot_be_said_in_the_query_or_a_header(
    site: Site, endpoint: Guarded
) -> None:
    row = ROWS[route_of(endpoint)]
    before = await site.state()
    for name in ("user_id", "sub", "as", "access_token", "admin", "scope"):
        answer = await site.send(rightful(endpoint), endpoint, row, params={name: "victim"})
        assert (answer.status_code, errors_of(answer)) == (422, {f"?{name}": "unknown_parameter"})
    said = {
        "X-User-Id": "customer-victim",
        "X-Forwarded-User": "customer-victim",
        "X-Remote-User": "staff-grace",
        "X-Customer-Id": "customer-victim",
        "X-Original-URL": "/health/live",
        "X-Rewrite-URL": "/health/live",
        "X-HTTP-Method-Override": "GET",
        "Cookie": "token=victim; Authorization=Bearer victim",
    }
    assert_refused(site, await site.send(NOBODY, endpoint, row, headers=said), "token_missing")
    assert await site.state() == before


# Keys -------------------------------------------------------------------------------------------


async def test_the_key_and_the_very_body_of_another_customer_make_an_order_of_ones_own(
    site: Site,
) -> None:
    async with site.client(STRANGER) as stranger:
        answer = await stranger.post(
            "/api/orders/create",
            json=BODY_OF_VICTIM,
            headers={"Idempotency-Key": KEY_OF_VICTIM},
        )

    assert answer.status_code == 201
    assert answer.json()["order_id"] != site.order_id
    assert await site.owner_of(answer.json()["order_id"]) == "customer-stranger"


async def test_whether_another_customer_used_a_key_cannot_be_found_out(site: Site) -> None:
    async with site.client(STRANGER) as stranger:
        answers = [
            await stranger.post(
                "/api/orders/create", json=BODY_OF_ORDER, headers={"Idempotency-Key": key}
            )
            for key in (KEY_OF_VICTIM, "a-key-that-nobody-used")
        ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json().keys() == answers[1].json().keys()


async def test_a_key_of_one_route_is_none_of_another(site: Site) -> None:
    async with site.client(VICTIM) as victim:
        answer = await victim.post(
            f"/api/orders/{site.order_id}/cancel", headers={"Idempotency-Key": KEY_OF_VICTIM}
        )

    assert (answer.status_code, answer.json()["order"]["status"]) == (200, "cancelled")


# Lists ------------------------------------------------------------------------------------------


async def test_the_cursor_of_another_customer_shows_only_orders_of_ones_own(site: Site) -> None:
    async with site.client(VICTIM) as victim, site.client(STRANGER) as stranger:
        for _ in range(2):
            await victim.post("/api/orders/create", json=BODY_OF_ORDER)
        for client, owner in ((victim, "customer-victim"), (stranger, "customer-stranger")):
            page = await victim.get("/api/orders/", params={"limit": 1})
            shown = 0
            while next_page := page.links.get("next"):
                page = await client.get(next_page["url"])
                shown += len(page.json())
                for order in page.json():
                    assert await site.owner_of(order["order_id"]) == owner
            assert shown == (2 if owner == "customer-victim" else 0)


async def test_the_cursor_of_staff_brings_none_of_its_rights_along(site: Site) -> None:
    async with site.client(STAFF) as staff, site.client(STRANGER) as stranger:
        for _ in range(2):
            await stranger.post("/api/orders/create", json=BODY_OF_ORDER)
        of_all = await staff.get("/api/orders/", params={"limit": 1})
        rest = await stranger.get(of_all.links["next"]["url"])
        assert [await site.owner_of(order["order_id"]) for order in rest.json()] == [
            "customer-stranger"
        ]
        of_one = await staff.get(
            "/api/orders/", params={"limit": 1, "customer_id": "customer-stranger"}
        )
        next_of_one = of_one.links["next"]["url"]
        async with site.client("namesake with a capital") as other:
            assert_refused(site, await other.get(next_of_one), "insufficient_scope")


@pytest.mark.parametrize("path", ["/api/orders/", "/api/orders"])
@pytest.mark.parametrize(
    "query",
    [
        "customer_id=customer-victim",
        "customer_id=customer-victim&status=pending",
        "customer_id=staff-grace",
        "customer_id=Customer-Stranger",
        "customer_id=%25",
        "customer_id=%2A",
    ],
)
async def test_a_filter_of_staff_is_refused_to_customers(site: Site, path: str, query: str) -> None:
    async with site.client(STRANGER) as stranger:
        assert_refused(site, await stranger.get(f"{path}?{query}"), "insufficient_scope")


@pytest.mark.parametrize(
    "query",
    [
        "customer_id=customer-stranger&customer_id=customer-victim",
        "customer_id=",
        "customer_id%00=customer-victim",
        "customer_id[]=customer-victim",
        "Customer_Id=customer-victim",
        "cursor=' OR '1'='1",
        "status=pending' OR '1'='1",
        "limit=1;customer_id=customer-victim",
    ],
)
async def test_a_filter_that_is_no_filter_is_refused(site: Site, query: str) -> None:
    async with site.client(STRANGER) as stranger:
        answer = await stranger.get(f"/api/orders/?{query}")

    assert answer.status_code == 422
    assert_tells_nothing(site, answer)


# Methods and paths ------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", API, ids=name_of)
@pytest.mark.parametrize(
    "method",
    ["OPTIONS", "TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "PROPFIND", "get", "GET\x00"],
)
async def test_no_other_method_does_anything_even_for_staff(
    site: Site, endpoint: Guarded, method: str
) -> None:
    path = endpoint.path.format(order_id=site.order_id)
    before = await site.state()
    status, told = await raw(site, method, path, bearer=STAFF)

    assert (status, b"method_not_allowed" in told) == (405, True)
    assert site.order_id.encode() not in told
    assert await site.state() == before


READING = [endpoint for endpoint in API if endpoint.method == "GET"]


@pytest.mark.parametrize("endpoint", READING, ids=name_of)
@pytest.mark.parametrize("caller", [VICTIM, STRANGER, STAFF, NOBODY])
async def test_head_is_answered_as_get_is_and_sends_no_body(
    site: Site, caller: str, endpoint: Guarded
) -> None:
    # Without a client of HTTP between us, for that would drop a body that should not be there.
    path = endpoint.path.format(order_id=site.order_id)
    status, _ = await raw(site, "GET", path, bearer=caller)

    assert await raw(site, "HEAD", path, bearer=caller) == (status, b"")


@pytest.mark.parametrize("caller", [STRANGER, NOBODY])
async def test_no_odd_spelling_of_a_path_gets_past_the_door(site: Site, caller: str) -> None:
    before = await site.state()
    for endpoint in API:
        for odd in odd_paths(endpoint.path, site.order_id):
            for path in {odd, unquote(odd), unquote(unquote(odd))}:
                status, told = await raw(site, endpoint.method, path, bearer=caller)
                # Some spell the list when they are decoded: the stranger's own, which is empty.
                assert 400 <= status < 500 or told == b"[]", (endpoint.method, path, status)
                assert site.order_id.encode() not in told, path
                assert b"victim" not in told.lower(), path
    assert await site.state() == before


async def raw(site: Site, method: str, path: str, *, bearer: str) -> tuple[int, bytes]:
    """What the service answers to a path that no client would send as it is."""
    headers = [(b"host", b"shop.test")]
    if bearer != NOBODY:
        headers.append((b"authorization", f"Bearer {site.tokens[bearer]}".encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogateescape"),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("203.0.113.7", 4711),
        "server": ("shop.test", 80),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await site.app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
