"""Duplicate orders: double clicks, retries, and two ways to complete one checkout."""

from typing import Any

import pytest

from order_core.assembly import OrderCore
from order_core.errors import IdempotencyKeyReused, PossibleDuplicate
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Succeeded
from order_core.payment import TransactionStatus
from tests.unit.incidents.meanwhile import at_every_call
from tests.unit.incidents.shop import Shop, a_request, fact


async def an_empty_shop() -> Shop:
    return Shop()


def placing(*, key: str | None, **but: Any) -> Any:
    async def place(core: OrderCore) -> Order:
        return await core.place(a_request(**but), key=key)

    return place


# woocommerce/woocommerce #62659
async def test_incident_14_two_checkout_requests_at_once_make_one_order() -> None:
    first, second = placing(key="request-a"), placing(key="request-b")
    async for shop, *answers in at_every_call(an_empty_shop, first, second):
        assert [type(a) for a in answers].count(Order) == 1
        assert [type(a) for a in answers].count(PossibleDuplicate) == 1
        assert len(shop.all_orders) == 1
        assert shop.charges == [2500]


# woocommerce/woocommerce PR #67944
@pytest.mark.parametrize("token", ["ok", "lost_answer", "two_step"])
async def test_incident_15_a_retry_of_the_load_balancer_is_the_same_order_and_charge(
    token: str,
) -> None:
    request = placing(key="checkout-15", payment_method=token)
    async for shop, first, _retry in at_every_call(an_empty_shop, request, request):
        await shop.work_until()
        order = await shop.order()
        assert order.status is OrderStatus.PENDING
        assert isinstance(first, Order)
        assert first.id == order.id
        assert shop.charges == [2500]


# mercurjs/mercur #1400
async def test_incident_16_the_worker_and_the_event_complete_one_order_between_them() -> None:
    async def paid_without_an_answer() -> Shop:
        shop = Shop()
        await shop.place(payment_method="lost_answer")
        await shop.clock.sleep(60)
        return shop

    async def work(core: OrderCore) -> int:
        return await core.recover()

    async def hear(core: OrderCore) -> None:
        await core.receive_webhook("scripted", b"evt-paid", {})

    async def begin() -> Shop:
        shop = await paid_without_an_answer()
        (entry,) = shop.gateway.ledger.entries
        paid = Succeeded(entry.reference, entry.amount, entry.transaction.id)
        shop.name_event("evt-paid", fact(entry.transaction, paid, entry.reference))
        return shop

    async for shop, *_ in at_every_call(begin, work, hear):
        await shop.work_until()
        assert await shop.times("order_placed") == 1
        assert (await shop.order()).payment_status is PaymentStatus.PAID
        assert len(shop.notifier.told) == 1


# 206Tours/DB #1681
async def test_incident_17_a_double_click_is_blocked_without_any_key_or_setting() -> None:
    click = placing(key=None)
    async for shop, *answers in at_every_call(an_empty_shop, click, click):
        assert [type(answer) for answer in answers].count(PossibleDuplicate) == 1
        assert len(shop.all_orders) == 1
        assert shop.charges == [2500]


# 206Tours/DB #1681, with a page that makes a fresh token for each click
async def test_incident_17_a_double_click_is_blocked_though_each_click_has_its_own_token() -> None:
    first = placing(key="click-1", payment_method="once_a")
    second = placing(key="click-2", payment_method="once_b")
    async for shop, *answers in at_every_call(an_empty_shop, first, second):
        assert [type(answer) for answer in answers].count(PossibleDuplicate) == 1
        assert len(shop.all_orders) == 1
        assert shop.charges == [2500]


# saleor/saleor PR #15956
async def test_incident_19_the_payment_that_was_charged_is_the_one_of_the_order() -> None:
    creating = placing(key="checkout-19", payment_method="lost_answer")
    with_another_card = placing(key="checkout-19", payment_method="two_step")
    async for shop, *answers in at_every_call(an_empty_shop, creating, with_another_card):
        await shop.work_until()
        order = await shop.order()
        assert sum(isinstance(answer, IdempotencyKeyReused) for answer in answers) == 1
        assert order.status is OrderStatus.PENDING
        assert [t.status for t in order.transactions] == [TransactionStatus.SUCCEEDED]
        assert shop.charges == [2500]


# saleor/saleor PR #15956, where the other payment comes with a key of its own
async def test_incident_19_another_card_with_another_key_is_not_charged_beside_the_first() -> None:
    creating = placing(key="card-a", payment_method="once_a")
    with_another_card = placing(key="card-b", payment_method="once_b")
    async for shop, *answers in at_every_call(an_empty_shop, creating, with_another_card):
        await shop.work_until()
        order = await shop.order()
        assert sum(isinstance(answer, PossibleDuplicate) for answer in answers) == 1
        assert order.status is OrderStatus.PENDING
        assert shop.charges == [2500]
