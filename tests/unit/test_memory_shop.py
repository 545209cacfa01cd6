"""The shop in memory places, cancels, recovers and tells with the real use cases."""

from typing import Any

import pytest

from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.ports import OrderQuery
from order_core.shipping_address import ShippingAddress
from order_core.use_cases import OrderRequest
from order_memory import CataloguePrices, InMemoryShop, in_memory_shop


def a_request(**but: Any) -> OrderRequest:
    values = {
        "customer_id": "ann",
        "items": (OrderItem("mug", 2, Money(1250, "EUR")),),
        "shipping_address": ShippingAddress("Kiel Canal 1"),
        "payment_method": "ok",
        "email": "ann@example.com",
    }
    return OrderRequest(**{**values, **but})


async def test_an_order_takes_a_few_lines() -> None:
    shop = in_memory_shop()

    order = await shop.core.place(a_request(), key=None)
    await shop.core.tell()

    assert order.status is OrderStatus.PENDING
    assert [entry.amount for entry in shop.gateway.ledger.entries] == [Money(2500, "EUR")]
    assert [notice.email for notice in shop.notifier.told] == ["ann@example.com"]
    assert (await shop.core.list(OrderQuery(customer_id="ann"))).orders == (
        await shop.orders.get(order.id),
    )


async def test_a_cancelled_order_gets_its_money_back() -> None:
    shop = in_memory_shop()
    order = await shop.core.place(a_request(), key=None)

    await shop.core.cancel(order.id, customer_id="ann", key=None)

    assert taken_and_kept(shop) == 0


async def test_the_shop_sells_at_its_own_prices() -> None:
    shop = in_memory_shop(prices=CataloguePrices({"mug": Money(1300, "EUR")}))

    with pytest.raises(Exception, match=r"mug costs 13\.00 EUR"):
        await shop.core.place(a_request(), key=None)

    assert shop.gateway.asked == ()


@pytest.mark.parametrize(
    ("token", "status", "kept"),
    [
        ("ok", OrderStatus.PENDING, 2500),
        ("once_ann", OrderStatus.PENDING, 2500),
        ("two_step", OrderStatus.PENDING, 2500),
        ("lost_answer", OrderStatus.PENDING, 2500),
        ("error_after", OrderStatus.PENDING, 2500),
        ("declined", OrderStatus.PAYMENT_FAILED, 0),
        ("lost_request", OrderStatus.PAYMENT_FAILED, 0),
        ("error_before", OrderStatus.PAYMENT_FAILED, 0),
        ("not_sent", OrderStatus.PAYMENT_FAILED, 0),
        ("rate_limited", OrderStatus.PAYMENT_FAILED, 0),
        ("action_required", OrderStatus.PAYMENT_FAILED, 0),
        ("pending", OrderStatus.AWAITING_PAYMENT, 0),
    ],
)
async def test_every_token_comes_to_rest_with_money_and_order_agreed(
    token: str, status: OrderStatus, kept: int
) -> None:
    shop = in_memory_shop()
    order = await shop.core.place(a_request(payment_method=token), key=None)

    for _ in range(200):
        await shop.clock.sleep(60)
        await shop.core.recover()

    assert (await shop.orders.get(order.id)).status is status
    assert taken_and_kept(shop) == kept


def taken_and_kept(shop: InMemoryShop) -> int:
    books = shop.gateway.ledger
    return sum(books.taken(e.reference) - books.given_back(e.reference) for e in books.entries)
