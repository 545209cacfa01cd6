"""Services that act for customers, for staff and for themselves, at the door of the API."""

from typing import Any

import pytest

from order_core.errors import TokenUnverifiable
from order_core.payment_terms import CaptureMode, Policy
from order_core.ports import Principal
from order_memory import FixedTokens, InMemoryShop, in_memory_shop
from tests.unit.http_service import customer, order_body, service

MAY_BUY = frozenset({"orders:read", "orders:write"})
MANAGES = frozenset({"orders:manage"})
TOKENS = FixedTokens(
    {
        "lena": Principal("lena", MAY_BUY),
        "web for lena": Principal("lena", MAY_BUY, actor="web-shop"),
        "web for nils": Principal("nils", MAY_BUY, actor="web-shop"),
        "web itself": Principal("web-shop", MAY_BUY),
        "desk for staff": Principal("staff-tom", MANAGES, actor="help-desk"),
    }
)


def app_over(shop: InMemoryShop) -> Any:
    return service(shop.core, verifier=TOKENS)


async def placed_by(app: Any, bearer: str, **changes: Any) -> str:
    async with customer(app, bearer) as caller:
        answer = await caller.post("/api/orders/create", json=order_body(**changes))
        assert answer.status_code == 201
        return answer.headers["Location"]


async def happened(app: Any, bearer: str, order: str) -> list[tuple[str, object]]:
    async with customer(app, bearer) as caller:
        answer = await caller.get(f"{order}/history")
    return [
        (entry["event"], entry["details"]["by"])
        for entry in answer.json()
        if "by" in entry["details"]
    ]


async def test_what_a_service_places_for_a_customer_is_the_customers() -> None:
    app = app_over(in_memory_shop())
    order = await placed_by(app, "web for lena")

    async with customer(app, "lena") as lena:
        assert (await lena.get(order)).status_code == 200
    async with customer(app, "web for nils") as for_nils:
        assert (await for_nils.get(order)).status_code == 403
        assert (await for_nils.get("/api/orders/")).json() == []
    async with customer(app, "web itself") as itself:
        assert (await itself.get(order)).status_code == 403
        assert (await itself.get("/api/orders/")).json() == []


async def test_the_history_says_who_acted_for_the_customer() -> None:
    app = app_over(in_memory_shop())
    order = await placed_by(app, "web for lena")
    async with customer(app, "web for lena") as caller:
        assert (await caller.post(f"{order}/cancel")).status_code == 200
    own = await placed_by(app, "lena", allow_duplicate=True)

    assert await happened(app, "lena", order) == [
        ("order_opened", "web-shop for customer"),
        ("order_cancelled", "web-shop for customer"),
    ]
    assert await happened(app, "lena", own) == [("order_opened", "customer")]


async def test_a_request_is_the_same_whoever_repeats_it_for_the_customer() -> None:
    app = app_over(in_memory_shop())
    key = {"Idempotency-Key": "the-same-basket"}
    locations = set()
    for bearer in ("web for lena", "lena"):
        async with customer(app, bearer) as caller:
            answer = await caller.post("/api/orders/create", json=order_body(), headers=key)
            locations.add(answer.headers["Location"])

    assert len(locations) == 1


async def test_what_a_service_does_as_staff_names_both() -> None:
    app = app_over(in_memory_shop())
    order = await placed_by(app, "lena")
    async with customer(app, "desk for staff") as desk:
        assert (await desk.post(f"{order}/process")).status_code == 200

    assert ("processing_began", "help-desk for staff-tom") in await happened(
        app, "desk for staff", order
    )
    assert [event for event, _by in await happened(app, "lena", order)] == ["order_opened"]


async def test_the_history_says_to_staff_who_gave_money_back() -> None:
    app = app_over(in_memory_shop())
    order = await placed_by(app, "lena")
    async with customer(app, "desk for staff") as desk:
        for amount in (1.5, None):
            body = {} if amount is None else {"amount": amount}
            assert (await desk.post(f"{order}/refunds", json=body)).status_code == 200

    seen = await happened(app, "desk for staff", order)
    assert [by for event, by in seen if event == "refund_recorded"] == [
        "help-desk for staff-tom"
    ] * 2
    assert [event for event, _by in await happened(app, "lena", order)] == ["order_opened"]


async def test_the_history_names_nobody_for_what_a_cancellation_gives_back() -> None:
    app = app_over(in_memory_shop())
    order = await placed_by(app, "lena")
    async with customer(app, "lena") as lena:
        assert (await lena.post(f"{order}/cancel")).status_code == 200

    async with customer(app, "desk for staff") as desk:
        (given_back,) = [
            entry["details"]
            for entry in (await desk.get(f"{order}/history")).json()
            if entry["event"] == "refund_recorded"
        ]
    assert "by" not in given_back


async def test_the_history_says_to_staff_who_had_the_money_taken() -> None:
    shop = in_memory_shop(policy=Policy(capture=CaptureMode.ON_PROCESSING))
    app = app_over(shop)
    order = await placed_by(app, "lena")
    async with customer(app, "desk for staff") as desk:
        assert (await desk.post(f"{order}/process")).status_code == 200

    assert ("capture_recorded", "help-desk for staff-tom") in await happened(
        app, "desk for staff", order
    )
    assert [event for event, _by in await happened(app, "lena", order)] == ["order_opened"]


@pytest.mark.parametrize("path", ["/api/orders/", "/api/orders/o-1"])
async def test_a_token_that_cannot_be_checked_now_is_no_bad_token(path: str) -> None:
    class IssuerIsDown:
        async def verify(self, _token: str, /) -> Principal:
            raise TokenUnverifiable("the issuer of tokens does not answer")

    async with customer(service(verifier=IssuerIsDown()), "lena") as caller:
        answer = await caller.get(path)

    assert (answer.status_code, answer.json()["code"]) == (503, "token_unverifiable")
    assert answer.headers["Retry-After"] == "10"
    assert "WWW-Authenticate" not in answer.headers
