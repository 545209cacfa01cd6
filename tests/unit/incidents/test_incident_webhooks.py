"""Webhooks: twice, at once, too late, or in the wrong order."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from order_core.assembly import OrderCore
from order_core.errors import OrderCoreError, StoreUnavailable
from order_core.order import Order, PaymentStatus
from order_core.order_status import OrderStatus
from order_core.outcomes import ActionRequired, Declined, Outcome, Pending, Succeeded
from order_core.payment import TransactionStatus
from order_core.ports import ReceivedEvent
from tests.unit.incidents.meanwhile import Meanwhile, answer_of, at_every_call
from tests.unit.incidents.shop import CUSTOMER, Shop, a_request, fact, fact_of


class Died(BaseException):
    """The process is gone: nothing catches this, as nothing catches `kill -9`."""


async def paid_but_unheard() -> Shop:
    """The charge succeeded, its answer was lost, and `evt-paid` is on its way."""
    shop = Shop()
    await shop.place(payment_method="lost_answer")
    (entry,) = shop.gateway.ledger.entries
    shop.name_event("evt-paid", fact_of(entry))
    return shop


async def hear(core: OrderCore) -> ReceivedEvent:
    return await core.receive_webhook("scripted", b"evt-paid", {})


async def shop_with(token: str) -> tuple[Shop, Order]:
    shop = Shop()
    return shop, await shop.place(payment_method=token)


# medusajs/medusa #4798
async def test_incident_29_an_event_whose_order_is_busy_is_taken_in_all_the_same() -> None:
    class Busy:
        """Somebody else always saves the order first, ten times."""

        def __init__(self, orders: Any) -> None:
            self._orders = orders
            self.races = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self._orders, name)

        async def save(self, order: Order, /, **named: Any) -> Any:
            if self.races < 10:
                self.races += 1
                await self._orders.save(await self._orders.get(order.id))
            return await self._orders.save(order, **named)

    shop = await paid_but_unheard()
    busy = Busy(shop.orders)
    received = await hear(shop.assembled(orders=busy))

    assert busy.races == 10
    assert received.verdict == "settled"
    assert (await shop.order()).status is OrderStatus.PENDING


# saleor/saleor #12652
@pytest.mark.parametrize("token", ["ok", "declined", "two_step", "lost_answer", "action_required"])
async def test_incident_30_an_event_at_any_moment_of_its_request_places_the_order_once(
    token: str,
) -> None:
    shops: list[Shop] = []

    async def begin() -> Shop:
        shops.append(Shop())
        return shops[-1]

    async def place(core: OrderCore) -> Order:
        return await core.place(a_request(payment_method=token))

    async def hear_everything(core: OrderCore) -> None:
        await shops[-1].hear_everything(core)

    async for shop, told, refused in at_every_call(begin, place, hear_everything):
        assert refused is None
        assert isinstance(told, Order)
        await shop.work_until()
        shop.assert_order_and_money_agree()
        placed = (await shop.order()).status is OrderStatus.PENDING
        assert await shop.times("order_placed") == (1 if placed else 0)
        assert shop.charges == ([2500] if placed else [])


# dj-stripe/dj-stripe #1239 and #429
async def test_incident_32_one_event_delivered_twice_at_once_is_taken_in_twice_without_error() -> (
    None
):
    async for shop, *received in at_every_call(paid_but_unheard, hear, hear):
        assert {type(answer) for answer in received} == {ReceivedEvent}
        assert await shop.times("order_placed") == 1
        assert not await shop.orders.receive(received[0])


# stripe/stripe-cli #418
async def test_incident_33_events_in_any_order_lead_to_the_same_end() -> None:
    told: list[Callable[[str], Outcome]] = [ActionRequired, Pending]
    ends = set()
    for order_of_events in permutations(range(3)):
        shop, opened = await shop_with("lost_answer")
        reference = shop.gateway.ledger.entries[0].reference
        paid = Succeeded(reference, opened.total, opened.charge.id)
        outcomes = [*(outcome(reference) for outcome in told), paid]
        for number in order_of_events:
            await shop.hear(fact(opened.charge, outcomes[number], reference))
        await shop.work_until()
        order = await shop.order()
        ends.add((order.status, order.payment_status, order.charge.status))

    assert ends == {(OrderStatus.PENDING, PaymentStatus.PAID, TransactionStatus.SUCCEEDED)}


# opengovsg/FormSG PR #8389
async def test_incident_34_a_delivery_that_failed_halfway_is_no_duplicate_of_itself() -> None:
    async def fails() -> None:
        raise StoreUnavailable

    for call in range(1, 20):
        shop = await paid_but_unheard()
        meanwhile = Meanwhile(fails, number=call)
        first = await answer_of(hear(meanwhile.core_of(shop)))
        if not meanwhile.happened:
            assert call > 3
            return
        assert isinstance(first, OrderCoreError)
        await hear(shop.core)
        assert (await shop.order()).status is OrderStatus.PENDING
    raise AssertionError("it never came to an end")


# mollie/WooCommerce #1252
async def test_incident_35_a_late_success_does_not_revive_an_order_that_was_given_back(
    shop: Shop,
) -> None:
    placed = await shop.place()
    (paid,) = shop.gateway.ledger.entries
    await shop.core.cancel(placed.id, customer_id=CUSTOMER)
    before = await shop.order()
    shop.clock.advance(timedelta(days=28))
    received = await shop.hear(fact_of(paid))

    assert received.verdict == "no_news"
    assert await shop.order() == before
    assert before.payment_status is PaymentStatus.REFUNDED


# mollie/WooCommerce #668
@pytest.mark.parametrize("reason", ["expired", "canceled", "failed"])
async def test_incident_36_an_expiry_told_a_month_later_leaves_a_paid_order_alone(
    shop: Shop, reason: str
) -> None:
    opened = await shop.place(payment_method="action_required")
    reference = opened.charge.provider_reference or ""
    shop.gateway.approve(reference)
    await shop.hear_everything()
    paid = await shop.order()
    shop.clock.advance(timedelta(days=30))
    await shop.hear(fact(opened.charge, Declined(reason, reference=reference), reference))

    assert paid.status is OrderStatus.PENDING
    assert await shop.order() == paid


# juspay/hyperswitch PR #9926
@pytest.mark.parametrize("told", [ActionRequired, Pending])
async def test_incident_37_a_payment_that_ended_never_waits_for_its_buyer_again(
    shop: Shop, told: Callable[[str], Outcome]
) -> None:
    opened = await shop.place(payment_method="action_required")
    await shop.core.cancel(opened.id, customer_id=CUSTOMER)
    ended = await shop.order()
    reference = opened.charge.provider_reference or ""
    await shop.hear(fact(opened.charge, told(reference), reference))

    assert ended.charge.status is TransactionStatus.VOIDED
    assert await shop.order() == ended


# juspay/hyperswitch #3408
@pytest.mark.parametrize("after", [False, True])
async def test_incident_38_what_could_not_be_told_is_told_later(shop: Shop, after: bool) -> None:
    async def dies() -> None:
        raise Died

    placed = await shop.place()
    dying: Awaitable[int] = Meanwhile(dies, "tell", after=after).core_of(shop).tell()
    with pytest.raises(Died):
        await dying
    await shop.work_until()

    told = [notice.id for notice in shop.notifier.told]
    assert set(told) == {f"{placed.id}.2"}
    assert len(told) == (2 if after else 1)
