"""Each provider's record of its events keeps what the port promises."""

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal

import pytest

from order_core.ports import EventLog
from order_emulators.chassis import Decision, Fault, Provision
from order_memory import ManualClock
from order_memory.contracts import EventLogContract
from order_paypal import PayPalEventLog
from order_stripe import StripeEventLog, stripe_client
from tests.integration.paypal_wire import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, paypal_wire
from tests.integration.square_wire import Square
from tests.integration.stripe_wire import API_KEY, Shop


class TestStripeEventLog(EventLogContract):
    @pytest.fixture
    async def log(self) -> AsyncIterator[EventLog]:
        self.clock = ManualClock()
        self.shop = Shop(now=self.clock.now)
        yield StripeEventLog(stripe_client(API_KEY, self.shop.http, "http://emulator"))
        await self.shop.close()

    def now(self) -> datetime:
        return self.clock.now()

    async def told(self, log: EventLog, many: int) -> set[str]:
        pays = {
            "amount": 2500,
            "currency": "eur",
            "confirm": "true",
            "payment_method": "pm_card_visa",
        }
        for _ in range(many):
            answer = await self.shop.http.post(
                "http://emulator/v1/payment_intents",
                data=pays,
                headers={"authorization": f"Bearer {API_KEY}"},
            )
            assert answer.is_success
        told = (await self.shop.control.get("/_emulator/webhooks")).json()
        return {each["id"] for each in told if each["type"] == "payment_intent.succeeded"}

    async def gone(self, log: EventLog) -> None:
        await self.shop.fault("GET /v1/events", "error_before", times=9)


class TestPayPalEventLog(EventLogContract):
    @pytest.fixture
    async def log(self) -> AsyncIterator[EventLog]:
        self.clock = ManualClock()
        secrets = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "webhook_id": WEBHOOK_ID,
        }
        async with paypal_wire(Provision(secrets=secrets, clock=self.clock.now)) as self.wire:
            gateway = self.wire.gateway()
            yield PayPalEventLog(gateway.threads, {self.wire.url})
            await gateway.close()

    def now(self) -> datetime:
        return self.clock.now()

    async def told(self, log: EventLog, many: int) -> set[str]:
        emulator = self.wire.emulator
        for _ in range(many):
            order = emulator.books.open(intent="CAPTURE", value=Decimal(25), currency="EUR")
            assert emulator.act(order.id, Decision.APPROVE)
        return {event.id for event in emulator.take_events()}

    async def gone(self, log: EventLog) -> None:
        await self.wire.order_faults(
            "GET /v1/notifications/webhooks-events", Fault.ERROR_BEFORE, times=9
        )


class TestSquareEventLog(EventLogContract):
    @pytest.fixture
    async def log(self) -> AsyncIterator[EventLog]:
        self.square = Square()
        await self.square.ask("PUT", "/v2/events/enable")
        yield self.square.event_log
        await self.square.gateway.close()

    def now(self) -> datetime:
        return self.square.time.now()

    async def told(self, log: EventLog, many: int) -> set[str]:
        for number in range(many):
            await self.square.pay_beside_us(f"key-{number}")
        return {each["id"] for each in await self.square.control("webhooks")}

    async def gone(self, log: EventLog) -> None:
        await self.square.fault("POST /v2/events", "error_before", times=9)
