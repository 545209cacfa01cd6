"""A refund that Stripe told to nobody is found in Stripe's own record by the worker."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest

from order_core.assembly import OrderCore, assemble
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.order_item import OrderItem
from order_core.shipping_address import ShippingAddress
from order_core.use_cases import OrderRequest
from order_memory import (
    InMemoryOrders,
    InMemoryOutbox,
    InMemoryWorkQueue,
    ManualClock,
    RecordingNotifier,
    SequentialIds,
    TrustedPrices,
)
from order_stripe import StripeEventLog, StripeWebhooks, stripe_client
from order_worker import Worker
from tests.integration.stripe_wire import API_KEY, Shop, assert_as_documented

_RECORD = "GET /v1/events"


class _OrderShop(Shop):
    """Its webhook address can be reached while `is_reachable`."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.is_reachable = True
        super().__init__(
            now=self.clock.now,
            webhook_url="https://shop.example/api/webhooks/stripe",
            post=self._post,
            sleep=self._no_pause,
        )
        self.orders = InMemoryOrders(self.clock)
        client = stripe_client(API_KEY, self.http, "http://emulator")
        self.core: OrderCore = assemble(
            orders=self.orders,
            work=InMemoryWorkQueue(self.orders),
            outbox=InMemoryOutbox(self.orders),
            gateways={"stripe": self.gateway},
            default_provider="stripe",
            prices=TrustedPrices(),
            notifier=RecordingNotifier(),
            clock=self.clock,
            ids=SequentialIds(),
            webhooks={"stripe": StripeWebhooks("whsec_emulator", now=self.now)},
            event_logs={"stripe": StripeEventLog(client, livemode=False)},
        )

    async def _post(self, _url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if not self.is_reachable:
            return 503
        await self.core.receive_webhook("stripe", body, headers)
        return 200

    async def _no_pause(self, _: float) -> None:
        pass

    async def steer(self, action: str) -> None:
        wish = {"action": action}
        assert (await self.control.post("/_emulator/webhooks", json=wish)).is_success

    async def paid(self, customer_id: str = "ann") -> Order:
        request = OrderRequest(
            customer_id=customer_id,
            items=(OrderItem("kettle", 1, Money(3990, "EUR")),),
            shipping_address=ShippingAddress("Kiel Canal 1"),
            payment_method="stripe:pm_card_visa",
        )
        order = await self.core.place(request, key=None)
        await self.steer("drain")
        return order

    async def refund_at_the_dashboard(self, order: Order, minor_units: int) -> None:
        """The refund, and the end of every try to tell of it."""
        answer = await self.http.post(
            "http://emulator/v1/refunds",
            data={"payment_intent": order.charge.provider_reference, "amount": minor_units},
            headers={"authorization": f"Bearer {API_KEY}"},
        )
        assert answer.is_success
        await self.steer("drain")

    async def work(self, rounds: int = 60) -> None:
        """Let the worker do its chores, about this many times each."""
        left = rounds * 5

        async def pause(_stopping: asyncio.Event, _seconds: float) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                worker.stop()
            await asyncio.sleep(0)

        worker = Worker(self.core, pause=pause)
        async with asyncio.timeout(30):
            await worker.run()

    async def now_as(self, order: Order) -> Order:
        return await self.orders.get(order.id)

    @property
    def pages_read(self) -> int:
        return sum(request.url.path == "/v1/events" for request, _ in self.wire.calls)


@pytest.fixture
async def shop() -> AsyncIterator[_OrderShop]:
    shop = _OrderShop()
    yield shop
    await shop.close()
    assert_as_documented(shop.wire)


async def test_a_refund_at_the_dashboard_whose_event_was_lost_is_booked(
    shop: _OrderShop,
) -> None:
    order = await shop.paid()
    shop.is_reachable = False
    await shop.refund_at_the_dashboard(order, 900)
    await shop.clock.sleep(timedelta(hours=2).total_seconds())

    await shop.work()

    order = await shop.now_as(order)
    assert order.refunded_minor_units == 900
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    assert shop.pages_read == 1


async def test_the_same_event_delivered_late_does_nothing_more(shop: _OrderShop) -> None:
    order = await shop.paid()
    shop.is_reachable = False
    await shop.refund_at_the_dashboard(order, 900)
    await shop.clock.sleep(timedelta(hours=2).total_seconds())
    await shop.work()
    before = await shop.now_as(order)

    shop.is_reachable = True
    await shop.steer("redeliver")
    await shop.steer("drain")

    assert await shop.now_as(order) == before
    assert before.refunded_minor_units == 900


async def test_the_next_walk_takes_in_nothing_again(shop: _OrderShop) -> None:
    order = await shop.paid()
    shop.is_reachable = False
    await shop.refund_at_the_dashboard(order, 900)
    for _ in range(2):
        await shop.clock.sleep(timedelta(hours=26).total_seconds())
        await shop.work()

    order = await shop.now_as(order)
    assert (order.refunded_minor_units, len(order.transactions)) == (900, 2)
    assert shop.pages_read == 2


async def test_what_is_too_fresh_to_be_lost_is_left_to_come_by_itself(shop: _OrderShop) -> None:
    order = await shop.paid()
    shop.is_reachable = False
    await shop.refund_at_the_dashboard(order, 900)

    await shop.work()

    assert (await shop.now_as(order)).refunded_minor_units == 0


async def test_more_refunds_than_a_page_holds_are_all_booked(shop: _OrderShop) -> None:
    orders = [await shop.paid(f"customer-{number}") for number in range(60)]
    shop.is_reachable = False
    for order in orders:
        await shop.refund_at_the_dashboard(order, 900)
    await shop.clock.sleep(timedelta(hours=2).total_seconds())

    await shop.work()

    assert {(await shop.now_as(order)).refunded_minor_units for order in orders} == {900}
    assert shop.pages_read == 2


@pytest.mark.parametrize("kind", ["answer_lost", "error_before", "rate_limited"])
async def test_a_record_that_cannot_be_read_now_is_read_later(shop: _OrderShop, kind: str) -> None:
    order = await shop.paid()
    shop.is_reachable = False
    await shop.refund_at_the_dashboard(order, 900)
    await shop.clock.sleep(timedelta(hours=2).total_seconds())
    await shop.fault(_RECORD, kind)

    await shop.work()
    assert (await shop.now_as(order)).refunded_minor_units == 0
    await shop.clock.sleep(timedelta(hours=1).total_seconds())
    await shop.work()

    assert (await shop.now_as(order)).refunded_minor_units == 900
