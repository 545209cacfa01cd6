"""What somebody does at PayPal's dashboard is booked although its event never arrived."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from order_core import OrderItem, OrderRequest, ShippingAddress
from order_core.assembly import OrderCore, assemble
from order_core.money import Money
from order_core.order import Order, PaymentStatus
from order_core.payment import TransactionKind, TransactionStatus
from order_core.payment_terms import CaptureMode, Policy
from order_core.ports import EventRecord, TakenIn
from order_core.use_cases.reconcile import PAUSE_AFTER_A_FAILURE
from order_emulators.chassis import Fault, Provision
from order_memory import ManualClock, RecordingNotifier, TrustedPrices
from order_paypal import Certificates, PayPalEventLog, PayPalGateway, PayPalWebhooks
from order_paypal.certificates import SANDBOX_HOSTS, SANDBOX_NAME
from order_sqlalchemy import Database, SqlOrders, SqlOutbox, SqlWorkQueue
from order_system import TimeOrderedIds
from tests.integration.paypal_wire import (
    CLIENT_ID,
    CLIENT_SECRET,
    WEBHOOK_ID,
    PayPalWire,
    paypal_wire,
)
from tests.integration.sqlalchemy_orders import opened

_LIST = "/v1/notifications/webhooks-events"
_SECRETS: Final = {
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "webhook_id": WEBHOOK_ID,
}


class _LossyPost:
    """The way to the shop: nothing arrives, but it is kept what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Mapping[str, str]]] = []

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if body not in [sent for sent, _ in self.sent]:
            self.sent.append((body, headers))
        raise httpx.ConnectError("nobody is there")


class _OrdersOfTheDay(SqlOrders):
    """Their database lives by the clock of the test."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        super().__init__(database)
        self._clock = clock

    async def taken_in(self, record: EventRecord, /) -> TakenIn:
        return replace(await super().taken_in(record), now=self._clock.now())


@dataclass
class _Shop:
    database: Database
    wire: PayPalWire
    gateway: PayPalGateway
    clock: ManualClock
    post: _LossyPost
    policy: Policy = field(default_factory=Policy)

    @property
    def core(self) -> OrderCore:
        """The use cases of one process; each has its own."""
        certificates = Certificates(
            roots=[self.wire.emulator.signer.root],
            name=SANDBOX_NAME,
            hosts=SANDBOX_HOSTS,
            emulator=self.wire.url,
            now=self.clock.now,
        )
        return assemble(
            orders=_OrdersOfTheDay(self.database, self.clock),
            work=SqlWorkQueue(self.database),
            outbox=SqlOutbox(self.database),
            gateways={"paypal": self.gateway},
            default_provider="paypal",
            prices=TrustedPrices(),
            notifier=RecordingNotifier(),
            clock=self.clock,
            ids=TimeOrderedIds(),
            policy=self.policy,
            webhooks={"paypal": PayPalWebhooks(WEBHOOK_ID, certificates, now=self.clock.now)},
            event_logs={"paypal": PayPalEventLog(self.gateway.threads, {self.wire.url})},
        )

    async def place(self) -> Order:
        request = OrderRequest(
            customer_id="ann",
            items=(OrderItem("mug", 2, Money(1250, "EUR")),),
            shipping_address=ShippingAddress("1 Quay Street, Galway"),
            payment_method="paypal:vault:paypal:ok",
        )
        return await self.core.place(request)

    async def at_the_dashboard(self, path: str, *, times: int = 1, **body: Any) -> None:
        """Somebody moves money there, and what is told of it is lost on its way here."""
        async with httpx.AsyncClient(base_url=self.wire.url) as web:
            account, grant = (CLIENT_ID, CLIENT_SECRET), {"grant_type": "client_credentials"}
            token = (await web.post("/v1/oauth2/token", data=grant, auth=account)).json()
            bearer = {"Authorization": f"Bearer {token['access_token']}"}
            for _ in range(times):
                (await web.post(path, json=body, headers=bearer)).raise_for_status()
        await self.wire.control("/_emulator/webhooks", {"action": "drain"})

    async def reconciled(self) -> int:
        """How many events a process that starts anew finds that had not come."""
        reconcile = self.core.reconcile
        return sum([await reconcile(limit=20) for _ in range(20)])

    async def stored(self, order: Order) -> Order:
        return await SqlOrders(self.database).get(order.id)


@contextlib.asynccontextmanager
async def a_shop(folder: Path, **policy: Any) -> AsyncIterator[_Shop]:
    clock, post = ManualClock(), _LossyPost()
    provision = Provision(
        secrets=_SECRETS, webhook_url="http://shop/hook", clock=clock.now, sleep=_at_once
    )
    async with (
        opened(f"sqlite:///{folder / 'orders.sqlite3'}") as database,
        paypal_wire(provision, post=post) as wire,
    ):
        gateway = wire.gateway(now=clock.now)
        yield _Shop(database, wire, gateway, clock, post, Policy(**policy))
        await gateway.close()


async def _at_once(_: float) -> None:
    pass


def paid(order: Order) -> str:
    """The id of its payment at PayPal."""
    (payment,) = (each for each in order.transactions if each.kind is not TransactionKind.REFUND)
    assert payment.provider_reference is not None
    return payment.provider_reference


async def test_a_refund_whose_event_was_lost_is_booked_by_the_workers_reconciliation(
    tmp_path: Path,
) -> None:
    async with a_shop(tmp_path) as shop:
        order = await shop.place()
        part = {"value": "10.00", "currency_code": "EUR"}
        await shop.at_the_dashboard(f"/v2/payments/captures/{paid(order)}/refund", amount=part)
        lost_body, lost_headers = shop.post.sent[-1]

        assert await shop.reconciled() == 0  # What is younger than an hour may still come.
        shop.clock.advance(timedelta(hours=2))
        assert await shop.reconciled() == 2
        booked = await shop.stored(order)
        # Hours later PayPal tries once more.
        late = await shop.core.receive_webhook("paypal", lost_body, lost_headers)

        assert b"PAYMENT.CAPTURE.REFUNDED" in lost_body
        assert booked.payment_status is PaymentStatus.PARTIALLY_REFUNDED
        assert booked.refunded_minor_units == 1000
        assert late.verdict == "no_news"
        assert (await shop.stored(order)).version == booked.version
        assert await shop.reconciled() == 0


async def test_a_refund_that_was_lost_before_days_without_any_process_is_booked(
    tmp_path: Path,
) -> None:
    async with a_shop(tmp_path) as shop:
        order = await shop.place()
        await shop.reconciled()
        part = {"value": "10.00", "currency_code": "EUR"}
        await shop.at_the_dashboard(f"/v2/payments/captures/{paid(order)}/refund", amount=part)

        shop.clock.advance(timedelta(days=5))
        assert await shop.reconciled() == 2

        assert (await shop.stored(order)).refunded_minor_units == 1000


async def test_a_capture_that_nobody_told_of_is_booked_and_put_before_a_person(
    tmp_path: Path,
) -> None:
    async with a_shop(tmp_path, capture=CaptureMode.ON_PROCESSING) as shop:
        order = await shop.place()
        assert order.payment_status is PaymentStatus.AUTHORIZED
        await shop.at_the_dashboard(f"/v2/payments/authorizations/{paid(order)}/capture")

        shop.clock.advance(timedelta(hours=2))
        await shop.reconciled()

        booked = await shop.stored(order)
        (capture,) = (each for each in booked.transactions if each.kind is TransactionKind.CAPTURE)
        assert (capture.status, capture.amount) == (TransactionStatus.SUCCEEDED, order.total)
        assert capture.review == "not_asked_for"
        assert await shop.reconciled() == 0


async def test_what_came_as_an_event_is_not_taken_in_again_from_the_list(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        order = await shop.place()
        await shop.at_the_dashboard(f"/v2/payments/captures/{paid(order)}/refund")
        for body, headers in shop.post.sent:
            await shop.core.receive_webhook("paypal", body, headers)

        shop.clock.advance(timedelta(hours=2))

        assert await shop.reconciled() == 0
        assert (await shop.stored(order)).refunded_minor_units == 2500


async def test_refunds_on_several_pages_are_all_booked(tmp_path: Path) -> None:
    async with a_shop(tmp_path) as shop:
        order = await shop.place()
        cent = {"value": "0.01", "currency_code": "EUR"}
        await shop.at_the_dashboard(
            f"/v2/payments/captures/{paid(order)}/refund", times=55, amount=cent
        )

        shop.clock.advance(timedelta(hours=2))
        await shop.reconciled()

        asked = [each for each in shop.wire.asked("GET") if each.path.startswith(_LIST)]
        assert len(asked) == 2
        assert (await shop.stored(order)).refunded_minor_units == 55


async def test_while_paypal_is_away_the_worker_says_so_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_shop(tmp_path) as shop:
        order = await shop.place()
        await shop.at_the_dashboard(f"/v2/payments/captures/{paid(order)}/refund")
        shop.clock.advance(timedelta(hours=2))
        await shop.wire.order_faults(f"GET {_LIST}", Fault.RATE_LIMITED)
        reconcile = shop.core.reconcile

        assert sum([await reconcile(limit=20) for _ in range(5)]) == 0
        shop.clock.advance(PAUSE_AFTER_A_FAILURE)
        assert sum([await reconcile(limit=20) for _ in range(5)]) == 2

        assert "the events of paypal are read later: not_readable:status_429" in caplog.text
        assert (await shop.stored(order)).payment_status is PaymentStatus.REFUNDED
