"""Access and abuse: other people's orders, and prices that the buyer makes up."""

import httpx
import pytest

from order_core.money import Money
from order_memory import CataloguePrices
from tests.unit.http_service import customer, in_memory_shop, order_body, service

_OF_CUSTOMERS = [("GET", ""), ("GET", "/history"), ("POST", "/cancel")]
_OF_STAFF = [
    ("POST", "/process", None),
    ("POST", "/refunds", {"amount": "1.00"}),
    ("POST", "/review", {"transaction_id": "id-000002", "decision": "accept", "note": "mine"}),
]


async def _as_it_is(ann: httpx.AsyncClient, order_id: str) -> object:
    return (await ann.get(f"/api/orders/{order_id}")).json()


# dotnet/eShop #996, macrozheng/mall #994
@pytest.mark.parametrize(("method", "path"), _OF_CUSTOMERS)
async def test_incident_54_another_customers_order_is_neither_read_nor_cancelled(
    method: str, path: str
) -> None:
    app = service(in_memory_shop().core)
    async with customer(app) as ann, customer(app, "bob") as bob:
        order_id = (await ann.post("/api/orders/create", json=order_body())).json()["order_id"]
        before = await _as_it_is(ann, order_id)
        refused = await bob.request(method, f"/api/orders/{order_id}{path}")

        assert refused.status_code == 403
        assert order_id not in refused.text.replace(str(refused.request.url.path), "")
        assert await _as_it_is(ann, order_id) == before
        assert (await bob.get("/api/orders/")).json() == []


# dotnet/eShop #996
@pytest.mark.parametrize(("method", "path", "body"), _OF_STAFF)
@pytest.mark.parametrize("bearer", ["ann", "bob"])
async def test_incident_54_no_customer_does_the_work_of_staff_not_even_on_his_own_order(
    method: str, path: str, body: object, bearer: str
) -> None:
    app = service(in_memory_shop().core)
    async with customer(app) as ann, customer(app, bearer) as client:
        order_id = (await ann.post("/api/orders/create", json=order_body())).json()["order_id"]
        before = await _as_it_is(ann, order_id)
        refused = await client.request(method, f"/api/orders/{order_id}{path}", json=body)

        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
        assert await _as_it_is(ann, order_id) == before


# evershopcommerce/evershop PR #1025, strangerstudios/paid-memberships-pro PR #3767
@pytest.mark.parametrize("price", ["0.01", "12.49", "125.00"])
async def test_incident_54_a_price_that_the_buyer_made_up_is_not_charged(price: str) -> None:
    prices = CataloguePrices({"teapot": Money(1250, "USD")})
    shop = in_memory_shop(prices=prices)
    item = {"product_id": "teapot", "quantity": 2, "price": price}
    async with customer(service(shop.core)) as ann:
        refused = await ann.post("/api/orders/create", json=order_body(items=[item]))

    assert shop.gateway.asked == ()
    assert (refused.status_code, refused.json()["code"]) == (422, "price_mismatch")


# evershopcommerce/evershop PR #1025
@pytest.mark.parametrize("claim", [{"total": "0.01"}, {"amount": 1}, {"status": "pending"}])
async def test_incident_54_a_total_that_the_buyer_sends_along_is_refused(
    claim: dict[str, object],
) -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        refused = await ann.post("/api/orders/create", json=order_body(**claim))

    assert refused.status_code == 422
    assert shop.gateway.asked == ()
