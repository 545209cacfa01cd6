"""POST /api/orders/create, in a shop in memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from order_core.errors import CommitUnknown, RequestInProgress, StoreUnavailable
from order_core.money import Money
from order_core.order_request import OrderRequest
from order_core.payment_terms import Policy
from order_memory import CataloguePrices, in_memory_shop
from order_memory.reactions import LOSE_REQUEST
from tests.unit.http_service import customer, errors_of, order_body, service
from tests.unit.limited_service import counts_of

CREATE = "/api/orders/create"


async def test_a_paid_order_is_answered_with_201_and_its_address() -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body())
        order = answer.json()
        assert answer.status_code == 201
        assert (await ann.get(answer.headers["Location"])).json() == order
    assert order["status"] == "pending"
    assert order["payment"]["status"] == "paid"
    assert order["allowed_actions"] == ["cancel"]
    assert order["shipping_address"] == "12 St James's Square, London"


async def test_an_order_that_the_buyer_must_approve_is_answered_with_202_and_the_page() -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body(payment_method="action_required"))
    assert answer.status_code == 202
    assert answer.headers["Retry-After"] == "2"
    action = answer.json()["payment"]["action"]
    assert action["type"] == "redirect"
    assert action["url"].startswith("https://pay.test/")


async def test_an_order_whose_payment_is_unclear_is_answered_with_202_not_402() -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body(payment_method="lost_answer"))
    assert answer.status_code == 202
    assert answer.json()["status"] == "awaiting_payment"
    assert "action" not in answer.json()["payment"]


async def test_a_decline_is_answered_with_402_its_code_and_the_order() -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body(payment_method="insufficient_funds"))
        problem = answer.json()
        kept = await ann.get(f"/api/orders/{problem['order_id']}")
    assert answer.status_code == 402
    assert problem["code"] == "payment_declined"
    assert problem["decline_code"] == "insufficient_funds"
    assert kept.json()["status"] == "payment_failed"
    assert kept.json()["payment"]["decline_code"] == "insufficient_funds"


async def test_the_same_key_gets_the_same_order_whether_it_is_quoted_or_bare() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        first = await ann.post(CREATE, json=order_body(), headers={"Idempotency-Key": "key-17"})
        second = await ann.post(CREATE, json=order_body(), headers={"Idempotency-Key": '"key-17"'})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert len(shop.gateway.asked) == 1


async def test_a_decline_is_repeated_to_the_same_key_and_not_tried_again() -> None:
    shop = in_memory_shop()
    body, key = order_body(payment_method="insufficient_funds"), {"Idempotency-Key": "poor"}
    async with customer(service(shop.core)) as ann:
        first = await ann.post(CREATE, json=body, headers=key)
        second = await ann.post(CREATE, json=body, headers=key)
    assert (first.status_code, second.status_code) == (402, 402)
    assert first.json()["order_id"] == second.json()["order_id"]
    assert len(shop.gateway.asked) == 1


async def test_a_payment_that_provably_never_happened_is_a_402_of_its_own() -> None:
    shop = in_memory_shop()
    body, key = order_body(payment_method="lost_request"), {"Idempotency-Key": "lost"}
    async with customer(service(shop.core)) as ann:
        first = await ann.post(CREATE, json=body, headers=key)
        shop.gateway.react(*[LOSE_REQUEST] * 20)
        for _ in range(20):
            shop.clock.advance(timedelta(minutes=15))
            await shop.core.recover(limit=10)
        second = await ann.post(CREATE, json=body, headers=key)
    assert (first.status_code, second.status_code) == (202, 402)
    assert second.json()["code"] == "payment_failed"
    assert second.json()["order_id"] == first.json()["order_id"]


async def test_a_client_secret_is_handed_to_the_owner_while_he_must_act() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        body = order_body(payment_method="action_required")
        placed = await ann.post(CREATE, json=body)
        order = await shop.orders.get(placed.json()["order_id"])
        charge = replace(order.charge, action_url=None, client_secret="pi_1_secret_2")
        await shop.orders.save(order.with_transaction(charge))
        action = (await ann.get(placed.headers["Location"])).json()["payment"]["action"]
        assert (action["type"], action["client_secret"]) == ("client_secret", "pi_1_secret_2")
        shop.gateway.approve(charge.provider_reference or "")
        shop.clock.advance(timedelta(minutes=1))
        await shop.core.recover(limit=10)
        paid = await ann.get(placed.headers["Location"])
    assert paid.json()["payment"]["status"] == "paid"
    assert "secret" not in paid.text


async def test_a_repeat_while_the_first_still_runs_is_told_when_to_come_again() -> None:
    async with customer(service(_Core(RequestInProgress("id-1", 2)))) as ann:
        answer = await ann.post(CREATE, json=order_body(), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
    assert answer.headers["Retry-After"] == "2"


async def test_a_price_written_in_another_way_is_the_same_request() -> None:
    async with customer(service()) as ann:
        answers = [
            await ann.post(
                CREATE,
                content=(
                    f'{{"items": [{{"product_id": "cup", "quantity": 1, "price": {price}}}],'
                    '"shipping_address": "x", "payment_method": "ok"}'
                ).encode(),
                headers={"Idempotency-Key": "cup", "Content-Type": "application/json"},
            )
            for price in ("10", "10.0", '"10.00"', "1e1")
        ]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["order_id"] for answer in answers}) == 1


async def test_a_key_with_another_body_is_refused() -> None:
    async with customer(service()) as ann:
        await ann.post(CREATE, json=order_body(), headers={"Idempotency-Key": "k"})
        answer = await ann.post(
            CREATE, json=order_body(shipping_address="elsewhere"), headers={"Idempotency-Key": "k"}
        )
    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("key", ["", '""', "with space", "x" * 256, '"open', '"a"b"', "ümlaut"])
async def test_a_key_that_is_no_key_is_refused(key: str) -> None:
    async with customer(service()) as ann:
        answer = await ann.post(
            CREATE, json=order_body(), headers={b"Idempotency-Key": key.encode("latin-1")}
        )
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_idempotency_key"


async def test_a_double_click_is_refused_and_allowed_on_request() -> None:
    async with customer(service()) as ann:
        await ann.post(CREATE, json=order_body())
        refused = await ann.post(CREATE, json=order_body())
        allowed = await ann.post(CREATE, json=order_body(allow_duplicate=True))
    assert refused.status_code == 409
    assert refused.json()["code"] == "possible_duplicate"
    assert allowed.status_code == 201


class ReadsBodies(BaseHTTPMiddleware):
    """A host's middleware that wants to see each body first."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        await request.body()
        return await call_next(request)


@pytest.mark.parametrize("rates", [None, {"declines": "5/hour"}])
@pytest.mark.parametrize("is_read_before", [False, True])
async def test_a_double_click_is_one_though_its_body_came_slowly(
    rates: Any, *, is_read_before: bool
) -> None:
    shop = in_memory_shop()
    app = service(shop.core, counts=rates and counts_of(rates))
    if is_read_before:
        app.add_middleware(ReadsBodies)

    async def slowly() -> AsyncIterator[bytes]:
        body = json.dumps(order_body()).encode()
        yield body[:20]
        placed = await client.post(CREATE, json=order_body())
        assert placed.status_code == 201
        # A little longer than the window, and less than the body is late by.
        shop.clock.advance(Policy().duplicate_window + timedelta(milliseconds=20))
        await asyncio.sleep(0.05)
        yield body[20:]

    async with customer(app) as client:
        headers = {"Content-Type": "application/json"}
        refused = await client.post(CREATE, content=slowly(), headers=headers)

    assert refused.status_code == 409
    assert refused.json()["code"] == "possible_duplicate"
    assert len(shop.gateway.asked) == 1


async def test_a_single_use_payment_method_pays_one_order_only() -> None:
    async with customer(service()) as ann:
        first = await ann.post(CREATE, json=order_body(payment_method="once_ann"))
        second = await ann.post(
            CREATE, json=order_body(payment_method="once_ann", shipping_address="elsewhere")
        )
    assert first.status_code == 201
    assert second.status_code == 409
    assert second.json()["code"] == "payment_method_in_use"


async def test_a_price_that_is_not_the_shops_is_refused_with_the_right_one() -> None:
    shop = in_memory_shop(prices=CataloguePrices({"teapot": Money(1300, "USD")}))
    async with customer(service(shop.core)) as ann:
        answer = await ann.post(CREATE, json=order_body())
    assert answer.status_code == 422
    assert answer.json()["code"] == "price_mismatch"
    assert errors_of(answer) == {"/items/0/price": "price_mismatch"}
    assert "13.00 USD" in answer.json()["detail"]


async def test_a_provider_that_does_not_exist_is_named_by_pointer_not_by_value() -> None:
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body(payment_method="sesame:open"))
    assert answer.status_code == 422
    assert errors_of(answer) == {"/payment_method": "unknown_provider"}
    assert "sesame" not in answer.text
    assert "a token with a colon needs its provider before it" in answer.text


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("90071992547409.91", "USD"), ("9007199254740991", "JPY"), ("0.005", "KWD"), ("10.10", "EUR")],
)
async def test_an_amount_comes_back_to_the_last_digit(amount: str, currency: str) -> None:
    body = (
        f'{{"items": [{{"product_id": "island", "quantity": 1, "price": {amount}}}],'
        f'"shipping_address": "x", "payment_method": "ok", "currency": "{currency}"}}'
    )
    async with customer(service()) as ann:
        answer = await ann.post(
            CREATE, content=body.encode(), headers={"Content-Type": "application/json"}
        )
    assert f'"total":{amount},' in answer.text
    assert f'"price":{amount}}}' in answer.text


async def test_the_address_may_be_lines_and_those_that_are_null_are_left_out() -> None:
    lines = {"name": "Ann", "street": "1 Quay", "company": None}
    async with customer(service()) as ann:
        answer = await ann.post(CREATE, json=order_body(shipping_address=lines))
    assert answer.json()["shipping_address"] == {"name": "Ann", "street": "1 Quay"}


@pytest.mark.parametrize(
    ("token", "given", "kept"),
    [
        ("ann", "other@example.org", "other@example.org"),
        ("ann", None, "ann@example.org"),
        ("bob", None, None),
        ("bad mail", None, None),
    ],
)
async def test_the_contact_is_the_requests_else_the_verified_one(
    token: str, given: str | None, kept: str | None
) -> None:
    async with customer(service(), token) as somebody:
        answer = await somebody.post(CREATE, json=order_body(email=given))
    assert answer.json().get("email") == kept


async def test_the_buyer_may_come_back_to_an_allowed_origin_only() -> None:
    app = service(return_origins=("https://shop.example", "http://localhost:3000"))
    async with customer(app) as ann:

        async def placed_with(url: str) -> int:
            body = order_body(return_url=url, allow_duplicate=True)
            return (await ann.post(CREATE, json=body)).status_code

        assert await placed_with("https://shop.example/done?x=1") == 201
        assert await placed_with("https://SHOP.example:443/") == 201
        assert await placed_with("http://localhost:3000/") == 201
        for url in (
            "https://evil.example/",
            "https://shop.example.evil.example/",
            "https://shop.example@evil.example/",
            "https://evil.example\\@shop.example/",
            "http://shop.example/",
            "//shop.example/",
            "/done",
            "javascript:alert(1)",
            "https://shop.example:99999/",
            "https://shop.example/\n",
        ):
            assert await placed_with(url) == 422, url


async def test_a_repeat_is_never_told_that_nothing_happened() -> None:
    shop = in_memory_shop()
    key = {"Idempotency-Key": "paid-but-the-answer-was-lost"}

    async def down(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable

    async with customer(service(shop.core)) as ann:
        assert (await ann.post(CREATE, json=order_body(), headers=key)).status_code == 201
        shop.orders.save = down  # type: ignore[method-assign]
        repeat = await ann.post(CREATE, json=order_body(), headers=key)
    async with customer(service(shop.core, max_in_flight=0)) as ann:
        turned_away = await ann.post(CREATE, json=order_body(), headers=key)
    assert [repeat.json()["code"], turned_away.json()["code"]] == [
        "store_unavailable",
        "overloaded",
    ]
    for answer in (repeat, turned_away):
        assert "nothing happened" not in answer.text.lower()
    assert "same Idempotency-Key" in repeat.json()["detail"]


async def test_a_store_that_is_down_is_told_as_not_carried_out() -> None:
    async with customer(service(_Core(StoreUnavailable()))) as ann:
        answer = await ann.post(CREATE, json=order_body())
    assert answer.status_code == 503
    assert answer.json()["code"] == "store_unavailable"
    assert answer.headers["Retry-After"] == "2"


async def test_a_commit_without_an_answer_is_told_as_unknown() -> None:
    async with customer(service(_Core(CommitUnknown()))) as ann:
        answer = await ann.post(CREATE, json=order_body())
    assert answer.status_code == 503
    assert answer.json()["code"] == "outcome_unknown"
    assert "same Idempotency-Key" in answer.json()["detail"]


class _Core:
    """A core whose store fails in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def place(self, request: OrderRequest, *, key: str | None = None, **_: Any) -> None:
        raise self._error
