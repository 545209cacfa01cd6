"""Incidents whose cause was the store: races that only a real database can show."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from order_core import Money, Order, OrderItem, OrderRequest, ShippingAddress
from order_core.assembly import OrderCore, assemble
from order_core.errors import OrderCoreError
from order_core.order_status import OrderStatus
from order_core.outcomes import Outcome, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.ports import ProviderFact, ReceivedEvent, WebhookEvent
from order_memory import RecordingNotifier, ScriptedGateway, Standing, TrustedPrices
from order_sqlalchemy import Database, SqlOrders, SqlOutbox, SqlWorkQueue
from order_system.clock import SystemClock
from order_system.ids import TimeOrderedIds
from tests.integration.sqlalchemy_orders import NOON, opened

pytest_plugins = ["tests.integration.sqlalchemy_database"]


class OneEvent:
    """Reads every body as the one event that the test has named."""

    def __init__(self) -> None:
        self.event: WebhookEvent | None = None

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        assert self.event is not None
        return self.event


@dataclass
class SqlShop:
    """A shop over a real database, with a provider in memory."""

    database: Database
    gateway: ScriptedGateway = field(default_factory=lambda: ScriptedGateway(SystemClock()))
    events: OneEvent = field(default_factory=OneEvent)

    @property
    def core(self) -> OrderCore:
        """The use cases of one process; each has its own."""
        return assemble(
            orders=SqlOrders(self.database),
            work=SqlWorkQueue(self.database),
            outbox=SqlOutbox(self.database),
            gateways={"scripted": self.gateway},
            default_provider="scripted",
            prices=TrustedPrices(),
            notifier=RecordingNotifier(),
            clock=SystemClock(),
            ids=TimeOrderedIds(),
            webhooks={"scripted": self.events},
        )

    async def place(self, key: str | None = None, **but: Any) -> Order:
        request = OrderRequest(
            customer_id=but.pop("customer_id", "ann"),
            items=(OrderItem("kettle", 1, Money(2500, "EUR")),),
            shipping_address=ShippingAddress("Kiel Canal 1"),
            payment_method=but.pop("payment_method", "ok"),
        )
        return await self.core.place(request, key=key)

    async def hear(self) -> ReceivedEvent:
        return await self.core.receive_webhook("scripted", b"{}", {})

    def done(self, kind: TransactionKind) -> list[int]:
        return [
            entry.amount.minor_units
            for entry in self.gateway.ledger.entries
            if entry.transaction.kind is kind and entry.standing is Standing.SUCCEEDED
        ]


@pytest.fixture
def shop(database: Database) -> SqlShop:
    return SqlShop(database)


async def together(*doing: Any) -> Counter[str]:
    """What so many at once come to: `Order`, or the name of each refusal."""
    answers = await asyncio.gather(*doing, return_exceptions=True)
    broken = [a for a in answers if isinstance(a, BaseException)]
    assert all(isinstance(one, OrderCoreError) for one in broken), broken
    return Counter(type(answer).__name__ for answer in answers)


# spree/spree PR #4499
async def test_incident_05_the_mark_of_a_charge_under_way_is_seen_by_another_connection(
    shop: SqlShop, database_url: str
) -> None:
    seen: list[Order] = []

    class Watched(ScriptedGateway):
        async def send(self, transaction: PaymentTransaction, /) -> Outcome:
            async with opened(database_url) as elsewhere:
                seen.append(await SqlOrders(elsewhere).get(transaction.order_id))
            return await super().send(transaction)

    shop.gateway = Watched(SystemClock())
    await shop.place()

    assert [(order.status, order.charge.sends) for order in seen] == [("awaiting_payment", 1)]


# mollie/PrestaShop PR #1251
async def test_incident_08_many_tabs_at_once_make_one_order_in_a_real_database(
    shop: SqlShop,
) -> None:
    answers = await together(*(shop.place(key=f"tab-{tab}") for tab in range(12)))

    assert answers == {"Order": 1, "PossibleDuplicate": 11}
    assert shop.done(TransactionKind.CHARGE) == [2500]


# mollie/PrestaShop PR #1251, where each tab has made a token of its own
async def test_incident_08_many_tabs_with_a_token_each_make_one_order_in_a_real_database(
    shop: SqlShop,
) -> None:
    tabs = (shop.place(key=f"tab-{tab}", payment_method=f"once_{tab}") for tab in range(12))
    answers = await together(*tabs)

    assert answers == {"Order": 1, "PossibleDuplicate": 11}
    assert shop.done(TransactionKind.CHARGE) == [2500]


# woocommerce/woocommerce PR #67944
async def test_incident_15_many_retries_at_once_get_one_order_from_a_real_database(
    shop: SqlShop,
) -> None:
    answers = await asyncio.gather(*(shop.place(key="checkout-15") for _ in range(12)))

    assert len({order.id for order in answers}) == 1
    assert {order.status for order in answers} == {OrderStatus.PENDING}
    assert shop.done(TransactionKind.CHARGE) == [2500]


# nopSolutions/nopCommerce #5131
async def test_incident_18_of_two_orders_that_claim_one_payment_at_once_one_is_paid(
    shop: SqlShop,
) -> None:
    class OnePayment(ScriptedGateway):
        async def send(self, transaction: PaymentTransaction, /) -> Outcome:
            outcome = await super().send(transaction)
            assert isinstance(outcome, Succeeded)
            return replace(outcome, reference="PAYID-5131")

    shop.gateway = OnePayment(SystemClock())
    tabs = (shop.place(customer_id=customer) for customer in ("ann", "bob"))
    orders = await asyncio.gather(*tabs)

    assert sorted(order.status for order in orders) == ["payment_failed", "pending"]
    assert {order.charge.reason for order in orders} == {None, "payment_already_used"}


async def paid_without_an_answer(shop: SqlShop) -> Order:
    """The charge succeeded, its answer was lost, and its event is on its way."""
    order = await shop.place(payment_method="lost_answer")
    (entry,) = shop.gateway.ledger.entries
    paid = Succeeded(entry.reference, entry.amount, order.charge.id)
    fact = ProviderFact(TransactionKind.CHARGE, paid, entry.reference, order.charge.id, "default")
    shop.events.event = WebhookEvent("evt-31", "payment.succeeded", (fact,))
    return order


# Pinelab-studio/pinelab-vendure-plugins #620
async def test_incident_31_one_event_delivered_ten_times_at_once_settles_once(
    shop: SqlShop,
) -> None:
    order = await paid_without_an_answer(shop)
    answers = await together(*(shop.hear() for _ in range(10)))
    history = await shop.core.history(order.id, customer_id="ann")

    assert answers == {"ReceivedEvent": 10}
    assert [entry.event.name for entry in history].count("order_placed") == 1


# medusajs/medusa #2948
async def test_incident_29_an_event_beside_a_cancel_meets_no_serialization_error(
    shop: SqlShop,
) -> None:
    order = await paid_without_an_answer(shop)
    cancels = (shop.core.cancel(order.id, customer_id="ann") for _ in range(3))
    answers = await together(*(shop.hear() for _ in range(3)), *cancels)
    stored = await shop.core.get(order.id, customer_id="ann")

    assert answers == {"ReceivedEvent": 3, "Order": 3}
    assert stored.status is OrderStatus.CANCELLED
    assert stored.captured_minor_units == stored.refund_asked_minor_units == 2500


# dj-stripe/dj-stripe #1239 and #429
async def test_incident_32_the_memory_of_events_is_atomic(database: Database) -> None:
    orders = SqlOrders(database)
    event = ReceivedEvent("stripe", "evt_1239", "charge.succeeded", NOON, "no_news")
    new = await asyncio.gather(*(orders.receive(event) for _ in range(20)))

    assert Counter(new) == {True: 1, False: 19}


# juspay/hyperswitch #13182
async def test_incident_45_ten_refunds_at_once_never_exceed_what_was_taken(
    shop: SqlShop,
) -> None:
    order = await shop.place()
    part = Money(600, "EUR")
    refunds = (shop.core.refund(order.id, by=f"staff-{n}", amount=part) for n in range(10))
    answers = await together(*refunds)
    stored = await shop.core.get(order.id, customer_id="ann")

    assert answers == {"Order": 4, "InvalidValue": 6}
    assert stored.refund_asked_minor_units == 2400
    assert sum(shop.done(TransactionKind.REFUND)) <= 2400
