"""What every answer carries, whatever it is about."""

import json
import logging
import re

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from order_http.endpoint import Public
from order_http.request_id import current_request_id
from tests.unit.http_service import customer, order_body, service

SHOP = "https://shop.example"


async def test_a_request_keeps_the_name_that_its_caller_gave_it() -> None:
    async with customer(service()) as ann:
        answer = await ann.get("/health/live", headers={"X-Request-Id": "checkout-17.a_b"})
    assert answer.headers["X-Request-Id"] == "checkout-17.a_b"


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, '"}', "a\tb"])
async def test_a_name_that_could_break_a_log_line_is_replaced(name: str) -> None:
    async with customer(service()) as ann:
        answer = await ann.get("/health/live", headers={"X-Request-Id": name})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


async def test_whoever_works_for_a_request_can_ask_for_its_name() -> None:
    async def name(request: Request) -> Response:
        return PlainTextResponse(current_request_id.get() or "")

    endpoint = Public("GET", "/name", name, "it tells the caller what he said")
    async with customer(service(extra_routes=[endpoint])) as ann:
        answer = await ann.get("/name", headers={"X-Request-Id": "who-am-i"})
    assert answer.text == "who-am-i"
    assert current_request_id.get() is None


async def test_each_answer_is_one_line_of_json_without_anything_personal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = order_body(email="secret@example.org", shipping_address="secret street")
    async with customer(service()) as ann:
        with caplog.at_level(logging.INFO, "order_http.access"):
            placed = await ann.post("/api/orders/create", json=body)
            await ann.get(placed.headers["Location"] + "?secret=1")
            await ann.get("/secret/path")
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("POST", "/api/orders/create", 201),
        ("GET", "/api/orders/{order_id}", 422),
        ("GET", "unmatched", 404),
    ]
    assert lines[0]["request_id"] == placed.headers["X-Request-Id"]
    assert lines[0]["milliseconds"] > 0
    for unwanted in ("secret", "Bearer", "id-0", "customer-ann"):
        assert unwanted not in caplog.text


@pytest.mark.parametrize("path", ["/api/orders/", "/nowhere", "/health/live", "/openapi.json"])
async def test_browsers_are_told_to_do_nothing_with_an_answer(path: str) -> None:
    async with customer(service()) as ann:
        headers = (await ann.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


async def preflight(ann: httpx.AsyncClient, origin: str) -> httpx.Response:
    return await ann.options(
        "/api/orders/create",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type, idempotency-key",
        },
    )


async def test_the_pages_of_a_configured_origin_may_call() -> None:
    async with customer(service(cors_origins=(SHOP,))) as ann:
        asked = await preflight(ann, SHOP)
        answer = await ann.post("/api/orders/create", json=order_body(), headers={"Origin": SHOP})
        failed = await ann.get("/nowhere", headers={"Origin": SHOP})
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == SHOP
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    assert failed.headers["Access-Control-Allow-Origin"] == SHOP


async def test_the_pages_of_another_origin_may_not() -> None:
    async with customer(service(cors_origins=(SHOP,))) as ann:
        refused = await preflight(ann, "https://evil.example")
        answer = await ann.get("/api/orders/", headers={"Origin": "https://evil.example"})
    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["instance"].endswith(refused.headers["X-Request-Id"])
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_without_configured_origins_no_page_may_call() -> None:
    async with customer(service()) as ann:
        assert (await preflight(ann, SHOP)).status_code == 405
        answer = await ann.get("/api/orders/", headers={"Origin": SHOP})
    assert "Access-Control-Allow-Origin" not in answer.headers
