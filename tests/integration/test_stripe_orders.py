"""Whatever happens on the way to Stripe, orders and Stripe's books agree in the end."""

import hmac
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest

from order_core.assembly import OrderCore, assemble
from order_core.errors import WebhookUnverifiable
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
from order_stripe import StripeWebhooks, stripe_client
from order_stripe.asking import Asking
from tests.integration.stripe_wire import API_KEY, Shop

_CREATE = "POST /v1/payment_intents"
_REFUNDS = "GET /v1/refunds"
_SECRET = "whsec_emulator"

Json = dict[str, Any]


class _OrderShop(Shop):
    def __init__(self) -> None:
        self.clock = ManualClock()
        super().__init__(now=self.clock.now)
        orders = InMemoryOrders(self.clock)
        client = stripe_client(API_KEY, self.http, "http://emulator")
        refunds_of = Asking(client).refunds_of
        webhooks = StripeWebhooks(_SECRET, now=self.now, refunds_of=refunds_of)
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
            webhooks={"stripe": webhooks},
        )

    async def place(self, token: str) -> str:
        request = OrderRequest(
            customer_id="ann",
            items=(OrderItem("kettle", 1, Money(3990, "EUR")),),
            shipping_address=ShippingAddress("Kiel Canal 1"),
            payment_method=f"stripe:{token}",
        )
        return (await self.core.place(request, key=None)).id

    async def refund_at_the_dashboard(self, intent: str, minor_units: int) -> Json:
        """The refund, and nothing told of it."""
        answer = await self.http.post(
            "http://emulator/v1/refunds",
            data={"payment_intent": intent, "amount": str(minor_units)},
            headers={"authorization": f"Bearer {API_KEY}"},
        )
        refund: Json = answer.json()
        return refund

    async def tell(self, name: str, shown: Json, version: str | None) -> None:
        """Have Stripe tell this, as an endpoint of this version is told."""
        event = {
            "object": "event",
            "id": f"evt_{name}_{version}",
            "type": name,
            "api_version": version,
            "created": int(self.now().timestamp()),
            "data": {"object": shown},
        }
        body, moment = json.dumps(event).encode(), int(self.now().timestamp())
        digest = hmac.new(_SECRET.encode(), f"{moment}.".encode() + body, sha256).hexdigest()
        await self.core.receive_webhook(
            "stripe", body, {"stripe-signature": f"t={moment},v1={digest}"}
        )

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


# A refund at the dashboard ----------------------------------------------------------------------


def a_charge(intent: str, *refunds: Json) -> Json:
    """The charge as `charge.refunded` shows it; with its refunds, as it was until 2022-08-01."""
    shown = {"id": "ch_1", "payment_intent": intent, "currency": "eur", "metadata": {}}
    return {**shown, "refunds": {"data": list(refunds)}} if refunds else shown


async def paid(shop: _OrderShop) -> tuple[str, str]:
    """An order that is paid, and the id of its payment at Stripe."""
    order_id = await shop.place("pm_card_visa")
    order = await shop.core.get(order_id, customer_id="ann")
    return order_id, order.charge.provider_reference or ""


@pytest.mark.parametrize("version", ["2022-08-01", "2022-11-15", "2024-06-20", None])
async def test_a_refund_at_the_dashboard_is_booked_whatever_version_it_is_told_in(
    shop: _OrderShop, version: str | None
) -> None:
    order_id, intent = await paid(shop)
    refund = await shop.refund_at_the_dashboard(intent, 900)
    listed = [refund] if version == "2022-08-01" else []

    await shop.tell("charge.refunded", a_charge(intent, *listed), version)

    order = await shop.core.get(order_id, customer_id="ann")
    assert order.refunded_minor_units == 900
    assert order.transactions[-1].provider_reference == refund["id"]


@pytest.mark.parametrize("turned", [False, True])
async def test_a_refund_that_is_told_by_two_events_counts_once(
    shop: _OrderShop, turned: bool
) -> None:
    order_id, intent = await paid(shop)
    refund = await shop.refund_at_the_dashboard(intent, 900)
    events = [("refund.created", refund), ("charge.refunded", a_charge(intent))]

    for name, shown in reversed(events) if turned else events:
        await shop.tell(name, shown, "2023-10-16")
    await shop.tell("charge.refunded", a_charge(intent, refund), "2022-08-01")

    order = await shop.core.get(order_id, customer_id="ann")
    assert order.refunded_minor_units == 900


async def test_of_a_refund_of_ours_an_older_version_tells_no_news(shop: _OrderShop) -> None:
    order_id, intent = await paid(shop)
    await shop.core.refund(order_id, amount=Money(700, "EUR"), by="staff")

    await shop.tell("charge.refunded", a_charge(intent), "2023-10-16")

    order = await shop.core.get(order_id, customer_id="ann")
    assert order.refunded_minor_units == 700
    assert len(order.transactions) == 2


async def test_a_version_that_tells_every_refund_is_not_asked_about_them(
    shop: _OrderShop,
) -> None:
    _, intent = await paid(shop)
    await shop.refund_at_the_dashboard(intent, 900)
    before = len(shop.wire.calls)

    await shop.tell("charge.refunded", a_charge(intent), "2024-10-28.acacia")
    await shop.tell("charge.refunded", {**a_charge(intent), "payment_intent": None}, "2023-10-16")

    assert len(shop.wire.calls) == before


@pytest.mark.parametrize("fault", ["error_before", "rate_limited"])
async def test_refunds_that_cannot_be_asked_for_now_are_told_again(
    shop: _OrderShop, fault: str
) -> None:
    order_id, intent = await paid(shop)
    await shop.refund_at_the_dashboard(intent, 900)
    await shop.fault(_REFUNDS, fault)

    with pytest.raises(WebhookUnverifiable):
        await shop.tell("charge.refunded", a_charge(intent), "2023-10-16")
    await shop.tell("charge.refunded", a_charge(intent), "2023-10-16")

    order = await shop.core.get(order_id, customer_id="ann")
    assert order.refunded_minor_units == 900


async def test_a_charge_of_another_account_has_no_refunds_here(shop: _OrderShop) -> None:
    before = len(shop.wire.calls)

    await shop.tell("charge.refunded", a_charge("pi_nobody_knows"), "2023-10-16")
    await shop.tell("charge.refunded", a_charge("../pi_1"), "2023-10-16")

    assert len(shop.wire.calls) == before + 1


async def test_an_endpoint_of_an_older_version_is_warned_about_once(
    shop: _OrderShop, caplog: pytest.LogCaptureFixture
) -> None:
    for version in ("2024-10-28.acacia", "2023-10-16", "2022-08-01"):
        await shop.tell("customer.created", {}, version)

    assert [message.partition(":")[0] for message in caplog.messages] == [
        "Stripe tells of events in a version before 2024-10-28"
    ]
