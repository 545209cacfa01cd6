"""Whatever happens on the way to Stripe, orders and Stripe's books agree in the end."""

from collections.abc import AsyncIterator

import pytest

from order_core.assembly import OrderCore, assemble
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
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
from tests.integration.stripe_wire import Shop

_CREATE = "POST /v1/payment_intents"


class _OrderShop(Shop):
    def __init__(self) -> None:
        self.clock = ManualClock()
        super().__init__(now=self.clock.now)
        orders = InMemoryOrders(self.clock)
        self.core: OrderCore = assemble(
            orders=orders,
            work=InMemoryWorkQueue(orders),
            outbox=InMemoryOutbox(orders),
            gateways={"stripe": self.gateway},
            default_provider="stripe",
            prices=TrustedPrices(),
            notifier=RecordingNotifier(),
            clock=self.clock,
            ids=SequentialIds(),
        )

    async def place(self, token: str) -> str:
        request = OrderRequest(
            customer_id="ann",
            items=(OrderItem("kettle", 1, Money(3990, "EUR")),),
            shipping_address=ShippingAddress("Kiel Canal 1"),
            payment_method=f"stripe:{token}",
        )
        return (await self.core.place(request, key=None)).id

    async def rest(self) -> None:
        """Let the worker look after everything for three hours."""
        for _ in range(180):
            await self.clock.sleep(60)
            await self.core.recover()

    async def status(self, order_id: str) -> OrderStatus:
        return (await self.core.get(order_id, customer_id="ann")).status

    async def kept(self) -> int:
        """What Stripe took and did not give back."""
        signs = {"charge": 1, "capture": 1, "refund": -1}
        entries = [entry for entry in await self.ledger() if entry["moved"]]
        return sum(signs.get(entry["kind"], 0) * entry["amount"] for entry in entries)


@pytest.fixture
async def shop() -> AsyncIterator[_OrderShop]:
    shop = _OrderShop()
    yield shop
    await shop.close()


@pytest.mark.parametrize(
    "fault", [None, "request_lost", "answer_lost", "error_before", "error_after", "rate_limited"]
)
async def test_a_good_card_pays_whatever_goes_wrong_once(
    shop: _OrderShop, fault: str | None
) -> None:
    if fault:
        await shop.fault(_CREATE, fault)

    order_id = await shop.place("pm_card_visa")
    await shop.rest()

    assert await shop.status(order_id) is OrderStatus.PENDING
    assert await shop.kept() == 3990


@pytest.mark.parametrize("fault", [None, "answer_lost", "error_after"])
async def test_a_bad_card_pays_nothing_and_leaves_nothing_open(
    shop: _OrderShop, fault: str | None
) -> None:
    if fault:
        await shop.fault(_CREATE, fault)

    order_id = await shop.place("pm_card_visa_chargeDeclined")
    await shop.rest()

    assert await shop.status(order_id) is OrderStatus.PAYMENT_FAILED
    assert await shop.kept() == 0


async def test_a_buyer_who_tries_twice_has_one_order_and_one_payment(shop: _OrderShop) -> None:
    order_id = await shop.place("pm_card_authenticationRequired")
    (payment,) = await shop.ledger()
    await shop.act(payment["reference"], "refuse")
    await shop.clock.sleep(60)
    await shop.core.recover()
    await shop.act(payment["reference"], "approve")
    await shop.rest()

    assert await shop.status(order_id) is OrderStatus.PENDING
    assert await shop.kept() == 3990


async def test_incident_36_a_buyer_who_never_comes_back_cannot_pay_any_more(
    shop: _OrderShop,
) -> None:
    order_id = await shop.place("pm_card_authenticationRequired")
    await shop.rest()

    (payment,) = await shop.ledger()
    assert await shop.status(order_id) is OrderStatus.PAYMENT_FAILED
    assert payment["status"] == "canceled"


@pytest.mark.parametrize("fault", [None, "answer_lost", "error_before", "error_after"])
async def test_a_cancelled_order_is_given_back_once(shop: _OrderShop, fault: str | None) -> None:
    order_id = await shop.place("pm_card_visa")
    if fault:
        await shop.fault("POST /v1/refunds", fault)

    await shop.core.cancel(order_id, customer_id="ann", key=None)
    await shop.rest()

    refunds = [entry for entry in await shop.ledger() if entry["kind"] == "refund"]
    assert await shop.status(order_id) is OrderStatus.CANCELLED
    assert [entry["amount"] for entry in refunds] == [3990]
    assert await shop.kept() == 0
