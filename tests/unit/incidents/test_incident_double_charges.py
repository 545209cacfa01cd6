"""Double charges: one wish, and the buyer pays more than once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from order_core import Policy
from order_core.errors import (
    CommitUnknown,
    PossibleDuplicate,
    RequestInProgress,
    StoreUnavailable,
)
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.payment import TransactionKind
from order_core.payment_terms import CaptureMode
from order_core.ports import OrderQuery
from order_memory import reactions
from tests.unit.incidents.meanwhile import Meanwhile, at_every_call
from tests.unit.incidents.shop import CUSTOMER, Shop, a_request

_ANNS = OrderQuery(CUSTOMER)


class DownAfter:
    """A store that keeps the first `saves` saves and is not there any more from then on."""

    def __init__(self, orders: Any, saves: int) -> None:
        self._orders = orders
        self._left = saves

    def __getattr__(self, name: str) -> Any:
        if self._left <= 0:
            raise StoreUnavailable
        return getattr(self._orders, name)

    async def save(self, *order: Any, **named: Any) -> Any:
        if self._left <= 0:
            raise StoreUnavailable
        self._left -= 1
        return await self._orders.save(*order, **named)


# woocommerce/woocommerce-gateway-stripe #489
async def test_incident_02_the_event_of_a_charge_sends_no_second_one_under_another_key(
    shop: Shop,
) -> None:
    meanwhile = Meanwhile(shop.hear_everything, "send", after=True)
    order = await meanwhile.core_of(shop).place(a_request(), key="checkout-7")
    await shop.work_until()

    assert order.status is OrderStatus.PENDING
    assert [asked.key for asked in shop.gateway.asked] == [order.charge.id]
    assert shop.charges == [2500]


# woocommerce/woocommerce-gateway-stripe #2477
async def test_incident_03_a_crash_after_the_charge_and_a_fresh_key_charge_no_second_time(
    shop: Shop,
) -> None:
    dying = shop.assembled(orders=DownAfter(shop.orders, saves=1))
    with pytest.raises(CommitUnknown):
        await dying.place(a_request(), key="first-try")
    shop.clock.advance(timedelta(seconds=12))
    with pytest.raises(PossibleDuplicate):
        await shop.place(key="second-try")
    await shop.work_until()

    assert shop.charges == [2500]
    shop.assert_order_and_money_agree()


# woocommerce/woocommerce-gateway-stripe #2477, where the retry comes after the worker
async def test_incident_03_a_retry_right_after_the_worker_placed_the_order_is_refused(
    shop: Shop,
) -> None:
    dying = shop.assembled(orders=DownAfter(shop.orders, saves=1))
    with pytest.raises(CommitUnknown):
        await dying.place(a_request(), key="first-try")
    while (order := await shop.order()).status is OrderStatus.AWAITING_PAYMENT:
        shop.clock.advance(timedelta(seconds=5))
        await shop.core.recover()
    assert shop.clock.now() - order.created_at >= timedelta(seconds=30)
    shop.clock.advance(timedelta(seconds=5))
    with pytest.raises(PossibleDuplicate):
        await shop.place(key="second-try")

    assert shop.charges == [2500]


# spree/spree #9265
async def test_incident_04_an_equal_payment_one_second_later_is_refused(shop: Shop) -> None:
    await shop.place()
    shop.clock.advance(timedelta(seconds=1))
    with pytest.raises(PossibleDuplicate):
        await shop.place()

    assert shop.charges == [2500]


# spree/spree PR #4499
async def test_incident_05_another_request_sees_that_the_charge_is_under_way(shop: Shop) -> None:
    seen: list[Order] = []

    async def another_request() -> None:
        seen.append(await shop.order())
        with pytest.raises(RequestInProgress):
            await shop.place(key="k-1")
        with pytest.raises(PossibleDuplicate):
            await shop.place()

    await Meanwhile(another_request, "send").core_of(shop).place(a_request(), key="k-1")

    assert [(order.status, order.charge.sends) for order in seen] == [
        (OrderStatus.AWAITING_PAYMENT, 1)
    ]
    assert shop.charges == [2500]


# vendurehq/vendure #2620
async def test_incident_06_there_is_one_payment_page_while_it_can_still_be_paid(
    shop: Shop,
) -> None:
    first = await shop.place(payment_method="action_required", key="tab-1")
    shop.clock.advance(timedelta(minutes=20))
    with pytest.raises(PossibleDuplicate):
        await shop.place(payment_method="action_required", key="tab-2")
    again = await shop.place(payment_method="action_required", key="tab-1")

    assert again.charge.action_url == first.charge.action_url is not None
    assert len(shop.gateway.ledger.entries) == 1


# getlago/lago-api PR #5547
async def test_incident_07_a_page_that_was_given_up_cannot_be_paid_beside_the_next_one(
    shop: Shop,
) -> None:
    old = await shop.place(payment_method="action_required", key="tab-1")
    await shop.work_until(passed=timedelta(minutes=40))
    new = await shop.place(key="tab-2")

    assert not shop.gateway.approve(old.charge.provider_reference or "")
    assert (await shop.orders.get(old.id)).status is OrderStatus.PAYMENT_FAILED
    assert new.status is OrderStatus.PENDING
    assert shop.net_minor_units_at_the_provider() == 2500


# getlago/lago-api PR #5547, the other direction
async def test_incident_07_a_buyer_who_pays_while_the_page_is_given_up_has_his_order(
    shop: Shop,
) -> None:
    opened = await shop.place(payment_method="action_required")
    shop.clock.advance(timedelta(minutes=31))

    async def the_buyer_pays() -> None:
        assert shop.gateway.approve(opened.charge.provider_reference or "")

    await Meanwhile(the_buyer_pays, "send").core_of(shop).recover()
    await shop.work_until()

    assert (await shop.order()).status is OrderStatus.PENDING
    shop.assert_order_and_money_agree()


# mollie/PrestaShop PR #1251
async def test_incident_08_many_tabs_with_one_cart_make_one_payment(shop: Shop) -> None:
    refused: list[int] = []

    async def the_other_tabs() -> None:
        for tab in range(2, 7):
            with pytest.raises(PossibleDuplicate):
                await shop.place(key=f"tab-{tab}")
            refused.append(tab)

    first = await Meanwhile(the_other_tabs, "send").core_of(shop).place(a_request(), key="tab-1")

    assert first.status is OrderStatus.PENDING
    assert refused == [2, 3, 4, 5, 6]
    assert shop.charges == [2500]


# solidusio/solidus_stripe #44
async def test_incident_09_what_the_buyer_confirmed_is_not_charged_again_at_the_end(
    shop: Shop,
) -> None:
    opened = await shop.place(payment_method="action_required", key="checkout-9")
    shop.gateway.approve(opened.charge.provider_reference or "")
    await shop.hear_everything()
    finalized = await shop.place(payment_method="action_required", key="checkout-9")
    await shop.work_until()
    await shop.core.process(opened.id, by="staff")

    assert finalized.payment_status is PaymentStatus.PAID
    assert len(shop.gateway.asked) == 1
    assert shop.charges == [2500]


# Adyen/adyen-commercetools #1305
async def test_incident_10_a_retry_by_another_release_has_the_same_key_and_request(
    shop: Shop,
) -> None:
    shop.gateway.react(reactions.LOSE_REQUEST)
    await shop.place(return_url="https://mugs.example/thanks")
    shop.policy = Policy(charge_window=timedelta(minutes=9), action_expiry=timedelta(minutes=50))
    shop.core = shop.assembled()
    await shop.work_until()

    assert len(shop.gateway.asked) == 2
    requests = {(t.key, t.amount, t.token, t.return_url, t.account) for t in shop.gateway.asked}
    assert len(requests) == 1
    assert shop.charges == [2500]


# square/square-mcp-server #31
async def test_incident_11_an_agent_that_makes_up_a_key_for_each_retry_pays_once(
    shop: Shop,
) -> None:
    opened = await shop.place(payment_method="lost_answer", key="agent-1")
    for retry in ("agent-2", "agent-3"):
        shop.clock.advance(timedelta(seconds=8))
        with pytest.raises(PossibleDuplicate):
            await shop.place(payment_method="lost_answer", key=retry)
    await shop.work_until()

    assert {asked.key for asked in shop.gateway.asked} == {opened.charge.id}
    assert shop.charges == [2500]


# killbill/killbill #639
async def test_incident_12_a_second_capture_waits_for_the_first_whose_outcome_is_unknown(
    make_shop: Callable[..., Shop],
) -> None:
    shop = make_shop(capture=CaptureMode.ON_PROCESSING)
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_ANSWER)
    for key in ("capture-1", "capture-1", "capture-2"):
        order = await shop.core.process(placed.id, by="staff", key=key)
        assert order.status is OrderStatus.PENDING
    await shop.work_until()

    assert (await shop.order()).status is OrderStatus.PROCESSING
    sent = [t for t in shop.gateway.asked if t.kind is TransactionKind.CAPTURE]
    assert len(sent) == 1
    assert shop.done_at_the_provider(TransactionKind.CAPTURE) == [2500]


# medusajs/medusa #13301
async def test_incident_13_whoever_processes_the_payment_second_captures_nothing(
    make_shop: Callable[..., Shop],
) -> None:
    async def begin() -> Shop:
        shop = make_shop(capture=CaptureMode.ON_PROCESSING)
        await shop.place()
        return shop

    async def process(core: Any) -> Any:
        (order,) = (await core.list(_ANNS)).orders
        return await core.process(order.id, by="staff")

    async for shop, *_ in at_every_call(begin, process, process):
        await shop.hear_everything()
        await shop.work_until()
        assert (await shop.order()).status is OrderStatus.PROCESSING
        assert shop.done_at_the_provider(TransactionKind.CAPTURE) == [2500]
