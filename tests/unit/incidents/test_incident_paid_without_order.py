"""Paid, and no order to show for it; or an order that never learns that it was paid."""

from datetime import timedelta
from typing import Any

import pytest

from order_core.assembly import OrderCore
from order_core.errors import (
    ConcurrentUpdate,
    OrderCoreError,
    PriceMismatch,
    StoreUnavailable,
    WrongPrice,
)
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import Succeeded
from order_core.payment import TransactionKind
from order_core.ports import OrderQuery, ProviderFact
from order_core.quotes import Quotes
from order_core.reviewing import ReviewDecision
from order_memory import CataloguePrices
from tests.unit.incidents.meanwhile import Meanwhile, answer_of, at_every_call
from tests.unit.incidents.shop import CUSTOMER, Shop, a_request

MUG_COSTS_1250 = {"mug": Money(1250, "EUR")}


class Died(BaseException):
    """The process is gone: nothing catches this, as nothing catches `kill -9`."""


# saleor/saleor #10925
async def test_incident_20_an_item_that_is_gone_during_the_approval_does_not_stop_a_paid_order(
    shop: Shop,
) -> None:
    shop.core = shop.assembled(prices=CataloguePrices(MUG_COSTS_1250))
    opened = await shop.place(payment_method="action_required", key="k-20")
    shop.core = shop.assembled(prices=CataloguePrices({}))
    shop.gateway.approve(opened.charge.provider_reference or "")
    await shop.hear_everything()
    repeated = await shop.place(payment_method="action_required", key="k-20")

    assert repeated.id == opened.id
    assert repeated.status is OrderStatus.PENDING
    shop.assert_order_and_money_agree()


# saleor/saleor #12229
async def test_incident_21_completing_a_second_time_asks_for_no_second_payment(
    shop: Shop,
) -> None:
    first = await shop.place(key="checkout-21")
    for later in (timedelta(seconds=1), timedelta(hours=1), timedelta(days=30)):
        shop.clock.advance(later)
        assert await shop.place(key="checkout-21") == first

    assert len(shop.gateway.asked) == 1


# django-oscar/django-oscar #4246
async def test_incident_22_a_number_that_is_taken_is_found_out_before_anything_is_paid(
    shop: Shop,
) -> None:
    class TheSameAgain:
        def new_id(self) -> str:
            return "order-100551"

    core = shop.assembled(ids=TheSameAgain())
    first = await core.place(a_request(customer_id="bob"))
    with pytest.raises(ConcurrentUpdate):
        await core.place(a_request())

    assert first.status is OrderStatus.PENDING
    assert shop.charges == [2500]


# django-oscar/django-oscar-paypal #297
async def test_incident_23_an_order_whose_process_dies_is_paid_or_gets_its_money_back(
    shop: Shop,
) -> None:
    async def dies() -> None:
        raise Died

    for call in range(1, 20):
        shop = Shop()
        meanwhile = Meanwhile(dies, number=call)
        try:
            await meanwhile.core_of(shop).place(a_request(), key="k-23")
        except Died:
            await shop.work_until()
            shop.assert_order_and_money_agree()
        else:
            assert call > 3
            return
    raise AssertionError("it never came to an end")


# django-oscar/django-oscar-paypal #297, with a store that comes and goes
async def test_incident_23_a_store_that_fails_at_any_moment_leaves_no_paid_order_behind() -> None:
    async def fails() -> None:
        raise StoreUnavailable

    for call in range(1, 20):
        shop = Shop()
        meanwhile = Meanwhile(fails, call="save", number=call)
        answer = await answer_of(meanwhile.core_of(shop).place(a_request(), key="k-23"))
        assert isinstance(answer, Order | OrderCoreError)
        await shop.work_until()
        shop.assert_order_and_money_agree()
        if not meanwhile.happened:
            assert shop.done_at_the_provider(TransactionKind.CHARGE) == [2500]
            return
    raise AssertionError("it never came to an end")


# vendurehq/vendure #3411
async def test_incident_25_nothing_can_refuse_an_order_once_the_money_was_taken(
    shop: Shop,
) -> None:
    class SoldOut:
        async def verify(self, *items: Any, customer_id: str, quotes: Quotes) -> None:
            raise PriceMismatch(WrongPrice(0, "mug", "product_unknown", "is not for sale"))

    with pytest.raises(PriceMismatch):
        await shop.assembled(prices=SoldOut()).place(a_request())
    assert shop.gateway.asked == ()

    await shop.place(payment_method="lost_answer")
    shop.core = shop.assembled(prices=SoldOut())
    await shop.hear_everything()
    assert (await shop.order()).status is OrderStatus.PENDING


# vendurehq/vendure #3025
async def test_incident_26_a_payment_of_another_amount_is_seen_and_a_person_ends_it(
    shop: Shop,
) -> None:
    opened = await shop.place(payment_method="wrong_amount")
    waiting = await shop.core.waiting()

    assert opened.charge.amount == Money(2501, "EUR") != opened.total
    assert opened.payment_status is PaymentStatus.IN_REVIEW
    assert [order.id for order in waiting.orders] == [opened.id]
    order = await shop.core.review(
        opened.id,
        transaction_id=opened.charge.id,
        decision=ReviewDecision.ACCEPT,
        note="one cent too much is kept",
        by="staff",
    )
    assert order.status is OrderStatus.PENDING


# ActiveCampaign/module-integration #85
async def test_incident_27_whoever_saves_an_old_copy_does_not_undo_what_the_event_stored() -> None:
    async def begin() -> Shop:
        shop = Shop()
        placed = await shop.place()
        back = Succeeded("re-dashboard", Money(400, "EUR"), "")
        parent = placed.charge.provider_reference
        shop.name_event(
            "evt-back",
            ProviderFact(TransactionKind.REFUND, back, "re-dashboard", parent_reference=parent),
        )
        return shop

    async def refund(core: OrderCore) -> Order:
        (order,) = (await core.list(OrderQuery(CUSTOMER))).orders
        return await core.refund(order.id, by="staff", amount=Money(1000, "EUR"))

    async def hear(core: OrderCore) -> None:
        await core.receive_webhook("scripted", b"evt-back", {})

    async for shop, refunded, _ in at_every_call(begin, refund, hear):
        assert isinstance(refunded, Order)
        assert (await shop.order()).refunded_minor_units == 1400


# ActiveCampaign/module-integration #85
async def test_incident_27_an_old_copy_is_refused_by_the_store(shop: Shop) -> None:
    old = await shop.place(payment_method="lost_answer")
    await shop.hear_everything()
    with pytest.raises(ConcurrentUpdate):
        await shop.orders.save(old)

    assert (await shop.order()).payment_status is PaymentStatus.PAID


# mollie/mollie-odoo #10
async def test_incident_28_a_payment_whose_events_never_come_is_found_by_asking(
    shop: Shop,
) -> None:
    opened = await shop.place(payment_method="pending")
    await shop.work_until(passed=timedelta(days=2))
    shop.gateway.settle(opened.charge.provider_reference or "")
    await shop.work_until(passed=timedelta(minutes=16))

    assert (await shop.order()).status is OrderStatus.PENDING
