"""Prices over HTTP: what is refused, how it is named, and that nothing was charged for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core.money import Money
from order_core.order_item import OrderItem
from order_memory import CataloguePrices, InMemoryShop, ManualClock, in_memory_shop
from order_memory.contracts.prices import PRICES
from tests.unit.http_service import customer, errors_of, order_body, service
from tests.unit.quotes_of_a_shop import QuotingShop

CREATE = "/api/orders/create"
ANN = "customer-ann"


@pytest.fixture
def backend() -> QuotingShop:
    return QuotingShop(ManualClock())


@pytest.fixture
def shop(backend: QuotingShop) -> InMemoryShop:
    return in_memory_shop(prices=backend.prices)


def pass_time(shop: InMemoryShop, backend: QuotingShop, **time: float) -> None:
    shop.clock.advance(timedelta(**time))
    backend.clock.advance(timedelta(**time))


def line(product_id: str, price: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"product_id": product_id, "price": price, "quantity": quantity, **more}


def body(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return order_body(items=list(items), currency="EUR", **changes)


async def test_quoted_prices_are_charged(backend: QuotingShop, shop: InMemoryShop) -> None:
    order = body(
        line("lamp", "49.99", quote=backend.quote("lamp", customer_id=ANN)),
        line("bulb", "3.50", 12, quote=backend.quote("bulb")),
        line("leaflet", "0.00", quote=backend.quote("leaflet")),
    )
    async with customer(service(shop.core)) as ann:
        placed = await ann.post(CREATE, json=order)

    assert placed.status_code == 201
    assert placed.json()["total"] == 91.99
    assert [asked.amount for asked in shop.gateway.asked] == [Money(9199, "EUR")]
    assert "quote" not in placed.text


async def test_a_quoted_cart_is_charged(backend: QuotingShop, shop: InMemoryShop) -> None:
    lines = (OrderItem("lamp", 1, Money(3999, "EUR")), OrderItem("bulb", 2, PRICES["bulb"]))
    order = body(line("lamp", "39.99"), line("bulb", "3.50", 2), quote=backend.cart(*lines))
    async with customer(service(shop.core)) as ann:
        assert (await ann.post(CREATE, json=order)).json()["total"] == 46.99


async def test_every_wrong_price_is_named_with_the_right_one() -> None:
    shop = in_memory_shop(prices=CataloguePrices(PRICES))
    order = body(
        line("lamp", "0.01"), line("bulb", "3.50"), line("bulb", "3.49", 7), line("moon", "1.00")
    )
    async with customer(service(shop.core)) as ann:
        refused = await ann.post(CREATE, json=order)

    assert refused.status_code == 422
    assert errors_of(refused) == {
        "/items/0/price": "price_mismatch",
        "/items/2/price": "price_mismatch",
        "/items/3/product_id": "product_unknown",
    }
    assert refused.json()["detail"] == "3 values break a rule."
    assert refused.json()["right_prices"] == [
        {"pointer": "/items/0/price", "price": 49.99, "currency": "EUR"},
        {"pointer": "/items/2/price", "price": 3.5, "currency": "EUR"},
    ]
    assert '"price":3.50,' in refused.text
    assert shop.gateway.asked == ()


async def test_of_a_thousand_wrong_prices_every_right_one_is_told() -> None:
    shop = in_memory_shop(prices=CataloguePrices(PRICES))
    async with customer(service(shop.core)) as ann:
        refused = await ann.post(CREATE, json=body(*[line("bulb", "1.00")] * 1000))

    assert len(refused.json()["right_prices"]) == 1000
    assert len(refused.json()["errors"]) == 20
    assert "The first 20 are listed." in refused.json()["detail"]


async def test_another_currency_is_another_price() -> None:
    shop = in_memory_shop(prices=CataloguePrices(PRICES))
    async with customer(service(shop.core)) as ann:
        refused = await ann.post(CREATE, json={**body(line("lamp", "49.99")), "currency": "HUF"})

    assert errors_of(refused) == {"/items/0/price": "currency_mismatch"}
    assert refused.json()["detail"] == "The product costs 49.99 EUR."


@pytest.mark.parametrize(
    ("items", "refused"),
    [
        ([line("leaflet", "0.00", 5)], {"/items": "nothing_to_pay"}),
        ([line("lamp", "90071992547409.91", 2)], {"/items": "amount_too_large"}),
        ([line("lamp", "49.999")], {"/items/0/price": "too_many_decimals"}),
        ([line("lamp", "49.99", quote="q" * 2049)], {"/items/0/quote": "too_long"}),
        ([line("lamp", "49.99", quote="")], {"/items/0/quote": "empty"}),
        ([line("lamp", "49.99", quote=["q"])], {"/items/0/quote": "wrong_type"}),
    ],
)
async def test_what_is_wrong_before_any_price_is_compared(
    shop: InMemoryShop, items: list[dict[str, Any]], refused: dict[str, str]
) -> None:
    async with customer(service(shop.core)) as ann:
        answer = await ann.post(CREATE, json=body(*items))

    assert (answer.status_code, errors_of(answer)) == (422, refused)


@pytest.mark.parametrize(
    ("ordered", "refused"),
    [
        (lambda _: body(line("lamp", "49.99")), {"/items/0/quote": "quote_missing"}),
        (
            lambda backend: body(line("lamp", "49.99", quote=backend.quote("bulb"))),
            {"/items/0/quote": "quote_of_another_product"},
        ),
        (
            lambda backend: body(
                line("lamp", "49.99", quote=backend.quote("lamp", customer_id="customer-bob"))
            ),
            {"/items/0/quote": "quote_of_another_customer"},
        ),
        (
            lambda backend: body(
                line("bulb", "3.50", 3, quote=backend.quote("bulb", max_quantity=2))
            ),
            {"/items/0/quantity": "quote_of_another_quantity"},
        ),
        (
            lambda backend: body(line("bulb", "3.50"), quote=backend.quote("bulb")),
            {"/quote": "quote_of_one_item"},
        ),
        (
            lambda backend: body(
                line("lamp", "49.99", quote=backend.quote("lamp")),
                quote=backend.cart(OrderItem("lamp", 1, PRICES["lamp"])),
            ),
            {"/quote": "two_kinds_of_quotes"},
        ),
        (
            lambda _: body(line("lamp", "49.99", quote="no.quote.either")),
            {"/items/0/quote": "quote_invalid"},
        ),
    ],
)
async def test_what_a_quote_does_not_prove_is_refused_by_its_place(
    backend: QuotingShop,
    shop: InMemoryShop,
    ordered: Callable[[QuotingShop], dict[str, Any]],
    refused: dict[str, str],
) -> None:
    async with customer(service(shop.core)) as ann:
        answer = await ann.post(CREATE, json=ordered(backend))

    assert (answer.status_code, answer.json()["code"]) == (422, "quote_refused")
    assert errors_of(answer) == refused
    assert shop.gateway.asked == ()


async def test_a_repeat_after_the_quote_has_expired_answers_with_the_order(
    backend: QuotingShop, shop: InMemoryShop
) -> None:
    order = body(line("lamp", "49.99", quote=backend.quote("lamp")))
    key = {"Idempotency-Key": "checkout-907"}
    async with customer(service(shop.core)) as ann:
        first = await ann.post(CREATE, json=order, headers=key)
        pass_time(shop, backend, days=3)
        repeated = await ann.post(CREATE, json=order, headers=key)
        renewed = body(line("lamp", "49.99", quote=backend.quote("lamp")))
        again = await ann.post(CREATE, json=renewed, headers=key)
        without_key = await ann.post(CREATE, json=order)

    assert [first.status_code, repeated.status_code, again.status_code] == [201, 201, 201]
    assert first.json() == repeated.json() == again.json()
    assert errors_of(without_key) == {"/items/0/quote": "quote_expired"}
    assert len(shop.gateway.asked) == 1


async def test_a_second_click_with_a_fresh_quote_is_a_second_click(
    backend: QuotingShop, shop: InMemoryShop
) -> None:
    answers = []
    async with customer(service(shop.core)) as ann:
        for _ in range(2):
            order = body(line("lamp", "49.99", quote=backend.quote("lamp")))
            answers.append(await ann.post(CREATE, json=order))
            pass_time(shop, backend, seconds=2)

    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "possible_duplicate"
    assert len(shop.gateway.asked) == 1


async def test_an_answer_of_the_provider_about_another_amount_is_no_success(
    backend: QuotingShop, shop: InMemoryShop
) -> None:
    order = body(line("lamp", "49.99", quote=backend.quote("lamp")), payment_method="wrong_amount")
    async with customer(service(shop.core)) as ann:
        answer = await ann.post(CREATE, json=order)

    assert answer.status_code == 202
    assert answer.json()["status"] == "awaiting_payment"
    assert answer.json()["payment"]["status"] == "in_review"
    assert answer.json()["total"] == 49.99
    assert [asked.amount for asked in shop.gateway.asked] == [Money(4999, "EUR")]


async def test_quotes_are_not_in_the_way_where_prices_need_no_proof() -> None:
    shop = in_memory_shop(prices=CataloguePrices(PRICES))
    order = body(line("lamp", "49.99", quote="of another time"), quote="of another place")
    async with customer(service(shop.core)) as ann:
        assert (await ann.post(CREATE, json=order)).status_code == 201
