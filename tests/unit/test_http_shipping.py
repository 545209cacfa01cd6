"""How an order leaves and arrives, and what its owner sees of that."""

from typing import Any

import httpx
import pytest

from order_memory import InMemoryShop
from tests.unit.http_service import customer, in_memory_shop, order_body, service

PARCEL = {"carrier": "DHL", "tracking_number": "JD014600000000000007"}


@pytest.fixture
def shop() -> InMemoryShop:
    return in_memory_shop()


async def processing(app: Any) -> str:
    async with customer(app) as ann:
        answer = await ann.post("/api/orders/create", json=order_body())
    address = str(answer.headers["Location"])
    assert (await act(app, f"{address}/process")).status_code == 200
    return address


async def act(app: Any, address: str, body: Any = None) -> httpx.Response:
    async with customer(app, "staff") as grace:
        return await grace.post(address, json=body) if body else await grace.post(address)


async def test_an_order_is_shipped_and_delivered_and_its_owner_can_follow_it(
    shop: InMemoryShop,
) -> None:
    app = service(shop.core)
    address = await processing(app)
    shipped = [await act(app, f"{address}/ship", PARCEL) for _ in range(2)]
    delivered = await act(app, f"{address}/deliver")
    async with customer(app) as ann:
        tracking = (await ann.get(f"{address}/tracking")).json()
        history = (await ann.get(f"{address}/history")).json()

    assert [answer.status_code for answer in shipped] == [200, 200]
    assert shipped[0].json()["status"] == "shipped"
    assert delivered.json()["status"] == tracking["status"] == "delivered"
    [parcel] = tracking["shipments"]
    assert {name: parcel[name] for name in PARCEL} == PARCEL
    assert [entry["event"] for entry in history][-2:] == ["order_shipped", "order_delivered"]
    assert "by" not in history[-1]["details"]


async def test_staff_is_told_when_an_order_can_leave_and_arrive(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await processing(app)
    shipped = (await act(app, f"{address}/ship", PARCEL)).json()
    delivered = (await act(app, f"{address}/deliver")).json()

    assert shipped["allowed_actions"] == ["ship", "deliver", "refund"]
    assert delivered["allowed_actions"] == ["refund"]
    assert {
        each["action"]: each["reason"]
        for each in delivered["refused_actions"]
        if each["action"] in {"ship", "deliver"}
    } == {"ship": "already_delivered", "deliver": "already_delivered"}


async def test_before_the_first_parcel_there_is_nothing_to_follow(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await processing(app)
    async with customer(app) as ann:
        assert (await ann.get(f"{address}/tracking")).json()["shipments"] == []
    async with customer(app, "bob") as bob:
        assert (await bob.get(f"{address}/tracking")).status_code == 403


async def test_what_cannot_leave_or_arrive_says_why(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await processing(app)
    early = await act(app, f"{address}/deliver")
    await act(app, f"{address}/refunds")
    refunded = await act(app, f"{address}/ship", PARCEL)

    assert (early.status_code, early.json()["code"]) == (409, "cannot_deliver")
    assert early.json()["reason"] == "not_shipped"
    assert (refunded.status_code, refunded.json()["code"]) == (409, "cannot_ship")
    assert refunded.json()["reason"] == "refunded"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"carrier": "DHL"}, "/tracking_number"),
        ({**PARCEL, "carrier": ""}, "/carrier"),
        ({**PARCEL, "carrier": 7}, "/carrier"),
        ({**PARCEL, "tracking_number": "one\ntwo"}, "/tracking_number"),
        ({**PARCEL, "weight": 3}, "/weight"),
    ],
)
async def test_a_parcel_that_cannot_be_followed_is_refused(
    shop: InMemoryShop, wrong: dict[str, Any], pointer: str
) -> None:
    app = service(shop.core)
    answer = await act(app, f"{await processing(app)}/ship", wrong)

    assert answer.status_code == 422
    assert pointer in [each["pointer"] for each in answer.json()["errors"]]
