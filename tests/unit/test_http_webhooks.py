"""POST /api/webhooks/{provider}: what a provider tells by itself."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from order_core.assembly import OrderCore
from order_core.errors import CommitUnknown, StoreUnavailable, WebhookRejected, WebhookUnverifiable
from order_core.money import Money
from order_core.outcomes import Succeeded
from order_core.payment import TransactionKind
from order_core.ports import ProviderFact, ReceivedEvent
from order_core.ports.webhook_parser import WebhookEvent
from order_memory import InMemoryOrders, InMemoryShop
from tests.unit.http_service import customer, in_memory_shop, order_body, service

ADDRESS = "/api/webhooks/scripted"
SIGNED = {"X-Scripted-Signature": "right"}


class ScriptedEvents:
    """Believes the right word, and reads who paid what."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        self.bodies.append(body)
        self.headers.append(headers)
        match headers.get("x-scripted-signature"):
            case "right":
                return _event(json.loads(body))
            case "cannot tell":
                raise WebhookUnverifiable("the certificate of 198.51.100.7 is not there")
            case _:
                raise WebhookRejected("the signature is wrong")


def _event(told: dict[str, Any]) -> WebhookEvent:
    if "reference" not in told:
        return WebhookEvent(told["id"], "weather.changed")
    paid = Succeeded(told["reference"], Money(2500, "USD"), told["transaction_id"])
    fact = ProviderFact(
        TransactionKind.CHARGE,
        paid,
        told["reference"],
        told["transaction_id"],
        told.get("installation", "default"),
    )
    return WebhookEvent(told["id"], "payment.succeeded", (fact,))


def listening(shop: InMemoryShop, events: ScriptedEvents) -> OrderCore:
    receive = replace(shop.core.receive_webhook, parsers={"scripted": events})
    return replace(shop.core, receive_webhook=receive)


@pytest.fixture
def shop() -> InMemoryShop:
    return in_memory_shop()


@pytest.fixture
def events() -> ScriptedEvents:
    return ScriptedEvents()


@pytest.fixture
def app(shop: InMemoryShop, events: ScriptedEvents) -> Any:
    return service(listening(shop, events))


async def waiting_order(app: Any, shop: InMemoryShop) -> dict[str, Any]:
    async with customer(app) as ann:
        placed = await ann.post(
            "/api/orders/create", json=order_body(payment_method="action_required")
        )
    assert placed.status_code == 202
    order = await shop.orders.get(placed.json()["order_id"])
    assert order.charge.provider_reference
    shop.gateway.approve(order.charge.provider_reference)
    return {
        "id": "event-1",
        "reference": order.charge.provider_reference,
        "transaction_id": order.charge.id,
        "order_id": order.id,
    }


async def tell(app: Any, told: Any, **headers: str) -> httpx.Response:
    async with customer(app, None) as provider:
        return await provider.post(ADDRESS, content=json.dumps(told), headers=headers or SIGNED)


async def counted(app: Any) -> dict[str, float]:
    async with customer(app, None) as prometheus:
        lines = (await prometheus.get("/metrics")).text.splitlines()
    return {
        line.partition("{")[2].partition("}")[0]: float(line.rsplit(" ", 1)[1])
        for line in lines
        if line.startswith("order_http_webhooks_total{")
    }


async def test_a_payment_that_the_buyer_approved_places_the_order_and_tells_him(
    app: Any, shop: InMemoryShop
) -> None:
    told = await waiting_order(app, shop)

    answer = await tell(app, told)
    await shop.core.tell()

    assert (answer.status_code, answer.json()) == (200, {"received": True, "verdict": "settled"})
    async with customer(app) as ann:
        order = (await ann.get(f"/api/orders/{told['order_id']}")).json()
    assert (order["status"], order["payment"]["status"]) == ("pending", "paid")
    assert len(shop.notifier.told) == 1
    assert await counted(app) == {'provider="scripted",verdict="settled"': 1}


async def test_an_event_may_come_as_often_as_it_likes(app: Any, shop: InMemoryShop) -> None:
    told = await waiting_order(app, shop)

    answers = [await tell(app, told) for _ in range(3)]

    assert [answer.json()["verdict"] for answer in answers] == ["settled", "no_news", "no_news"]
    order = await shop.orders.get(told["order_id"])
    assert order.captured_minor_units == 2500


async def test_the_raw_bytes_and_the_lower_case_headers_reach_the_parser(
    app: Any, events: ScriptedEvents
) -> None:
    raw = b'{ "id":"event-2" }\r\n'
    async with customer(app, None) as provider:
        answer = await provider.post(
            ADDRESS,
            content=raw,
            headers=[("X-Scripted-Signature", "right"), ("Via", "a"), ("Via", "b")],
        )

    assert answer.json() == {"received": True, "verdict": "no_fact"}
    assert events.bodies == [raw]
    assert events.headers[0]["via"] == "a, b"


@pytest.mark.parametrize(
    "provider", ["stripe", "Scripted", "%2e%2e", "scripted%00", "x" * 41, "scripted/more"]
)
async def test_a_provider_that_nobody_listens_to_is_not_there(app: Any, provider: str) -> None:
    async with customer(app, None) as stranger:
        answer = await stranger.post(f"/api/webhooks/{provider}", content=b"{}", headers=SIGNED)

    assert answer.status_code == 404
    assert await counted(app) == {}


async def test_without_a_parser_there_is_no_address(shop: InMemoryShop) -> None:
    answer = await tell(service(shop.core), {"id": "event-3"})

    assert (answer.status_code, answer.json()["code"]) == (404, "webhook_not_found")


async def test_a_forged_event_is_refused_and_does_nothing(
    app: Any, shop: InMemoryShop, caplog: pytest.LogCaptureFixture
) -> None:
    told = await waiting_order(app, shop)

    answer = await tell(app, told, **{"X-Scripted-Signature": "guessed"})

    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_rejected")
    assert "signature" not in answer.text
    assert "an event of scripted was rejected: the signature is wrong" in caplog.text
    assert (await shop.orders.get(told["order_id"])).captured_minor_units == 0
    assert await counted(app) == {'provider="scripted",verdict="rejected"': 1}


async def test_an_event_that_cannot_be_verified_now_is_asked_for_again(app: Any) -> None:
    answer = await tell(app, {"id": "event-4"}, **{"X-Scripted-Signature": "cannot tell"})

    assert (answer.status_code, answer.json()["code"]) == (503, "webhook_unverifiable")
    assert answer.headers["Retry-After"] == "60"
    assert "198.51.100.7" not in answer.text


@pytest.mark.parametrize(
    ("error", "code"),
    [(StoreUnavailable(), "store_unavailable"), (CommitUnknown(), "outcome_unknown")],
)
async def test_nothing_is_confirmed_that_is_not_stored(
    shop: InMemoryShop, events: ScriptedEvents, error: Exception, code: str
) -> None:
    class _BrokenStore(InMemoryOrders):
        async def receive(self, event: ReceivedEvent, /) -> bool:
            raise error

    receive = listening(shop, events).receive_webhook
    taking = replace(receive.take_in_event, orders=_BrokenStore(shop.clock))
    app = service(replace(shop.core, receive_webhook=replace(receive, take_in_event=taking)))

    answer = await tell(app, {"id": "event-5"})

    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert await counted(app) == {'provider="scripted",verdict="not_stored"': 1}


async def test_an_event_of_another_installation_is_confirmed_and_left_alone(
    app: Any, shop: InMemoryShop
) -> None:
    told = await waiting_order(app, shop)

    answer = await tell(app, told | {"installation": "the shop next door"})

    assert answer.json() == {"received": True, "verdict": "other_installation"}
    assert (await shop.orders.get(told["order_id"])).captured_minor_units == 0


async def test_a_body_that_is_too_large_is_not_read(
    shop: InMemoryShop, events: ScriptedEvents
) -> None:
    app = service(listening(shop, events), max_body_bytes=1024)

    answer = await tell(app, {"id": "x" * 2000})

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert events.bodies == []


async def test_strangers_do_not_take_the_room_of_orders() -> None:
    shop, room_is_taken, goes_on = in_memory_shop(), asyncio.Barrier(3), asyncio.Event()

    class _Slow(ScriptedEvents):
        async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
            await room_is_taken.wait()
            await goes_on.wait()
            return await super().parse(body, headers)

    app = service(listening(shop, _Slow()), max_webhooks_in_flight=2, max_in_flight=2)
    waiting = [asyncio.create_task(tell(app, {"id": f"event-{n}"})) for n in (6, 7)]
    await room_is_taken.wait()

    third = await tell(app, {"id": "event-8"})
    async with customer(app) as ann:
        placed = await ann.post("/api/orders/create", json=order_body())
    left = await app.state.in_flight.drain(0.01)
    goes_on.set()

    assert (third.status_code, third.json()["code"]) == (503, "overloaded")
    assert placed.status_code == 201
    assert left == 2
    assert [(await each).status_code for each in waiting] == [200, 200]
    assert await app.state.in_flight.drain(1) == 0


async def test_a_get_is_told_that_only_post_is_taken(app: Any) -> None:
    async with customer(app, None) as reader:
        answer = await reader.get(ADDRESS)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
