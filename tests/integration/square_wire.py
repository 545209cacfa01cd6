"""The real SDK in front of the pretended Square, with every exchange kept and policed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from square import AsyncSquare

from order_core.payment import PaymentTransaction
from order_emulators import build_emulator
from order_memory.contracts import samples
from order_square.connection import http_client
from order_square.event_log import SquareEventLog
from order_square.events import EventReader
from order_square.gateway import SquareGateway
from order_square.webhooks import SquareWebhooks
from tests.integration.official_descriptions import described_in

ACCESS_TOKEN = "sq-access-token-very-secret"
SIGNATURE_KEY = "sq-signature-key-very-secret"
LOCATION = "L8KIEL24159"
WEBHOOK_URL = "https://shop.example/api/webhooks/square"
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
PAYS = "ccof:customer-card-id-ok@CUST7"

Answering = Callable[[httpx.Request], httpx.Response]


class Time:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.is_now = NOON

    def now(self) -> datetime:
        return self.is_now

    def passes(self, **duration: float) -> None:
        self.is_now += timedelta(**duration)

    async def sleep(self, seconds: float) -> None:
        self.is_now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Exchange:
    request: httpx.Request
    status: int
    answer: bytes


class Recorder(httpx.AsyncBaseTransport):
    """Keeps every exchange on its way to `inner`."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.exchanges: list[Exchange] = []
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        response = await self._inner.handle_async_request(request)
        answer = await response.aread()
        self.exchanges.append(Exchange(request, response.status_code, answer))
        return httpx.Response(response.status_code, headers=response.headers, content=answer)


@dataclass
class Square:
    """A pretended Square, a gateway to it, and what a test may ask of both."""

    time: Time = field(default_factory=Time)
    currency: str = "EUR"
    told: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = build_emulator(
            "square",
            webhook_url=WEBHOOK_URL,
            secrets={
                "access_token": ACCESS_TOKEN,
                "location_id": LOCATION,
                "currency": self.currency,
                "signature_key": SIGNATURE_KEY,
            },
            clock=self.time.now,
            sleep=self.time.sleep,
            post=self._post,
        )
        self.wire = Recorder(httpx.ASGITransport(self.app))
        self.gateway = a_gateway(self.wire, self.time, currency=self.currency)
        self.event_log = an_event_log(self.wire)
        self.webhooks = SquareWebhooks(
            signature_key=SIGNATURE_KEY, url=WEBHOOK_URL, location_id=LOCATION
        )

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        assert url == WEBHOOK_URL
        self.told.append((body, dict(headers)))
        return 200

    async def control(self, path: str, body: object | None = None) -> Any:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://square") as client:
            method = "GET" if body is None else "POST"
            response = await client.request(method, f"/_emulator/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def fault(self, on: str, kind: str, **more: Any) -> None:
        await self.control("faults", [{"on": on, "kind": kind, **more}])

    async def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = await self.control("ledger")
        return entries

    async def deliveries(self) -> list[tuple[bytes, dict[str, str]]]:
        await self.control("webhooks", {"action": "drain"})
        return self.told

    async def ask(self, method: str, path: str, body: object | None = None) -> httpx.Response:
        """What somebody else than the gateway asks, with the same access token."""
        headers = {"authorization": f"Bearer {ACCESS_TOKEN}"}
        async with httpx.AsyncClient(transport=self.wire, base_url="http://square") as client:
            return await client.request(method, path, json=body, headers=headers)

    async def pay_beside_us(self, key: str) -> dict[str, Any]:
        """A payment that another application takes; the payment."""
        return await self._made(
            "payment",
            idempotency_key=key,
            source_id="ccof:customer-card-id-ok",
            customer_id="CUST7",
            location_id=LOCATION,
            amount_money={"amount": 100, "currency": self.currency},
        )

    async def refund_at_the_dashboard(self, payment: str, minor_units: int) -> dict[str, Any]:
        """A refund that nobody asked us for; the refund."""
        return await self._made(
            "refund",
            idempotency_key=f"back-{payment}-{minor_units}",
            payment_id=payment,
            amount_money={"amount": minor_units, "currency": self.currency},
            reason="the buyer came to the shop",
        )

    async def _made(self, what: str, **body: Any) -> dict[str, Any]:
        answer = await self.ask("POST", f"/v2/{what}s", body)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()[what]
        return made

    def a_charge(self, token: str = PAYS, **but: Any) -> PaymentTransaction:
        values = {
            "provider": "square",
            "account": self.gateway.profile.account,
            "token": token,
            "amount": samples.EUR_25,
            "installation": "kiel-1",
            **but,
        }
        return samples.a_charge("order-7", self.time.now(), **values)


def a_gateway(
    transport: httpx.AsyncBaseTransport,
    time: Time,
    *,
    currency: str | None = "EUR",
    call_seconds: float = 5.0,
) -> SquareGateway:
    http = http_client(call_seconds, transport)
    client = AsyncSquare(token=ACCESS_TOKEN, base_url="http://square", httpx_client=http)
    return SquareGateway(
        client,
        location_id=LOCATION,
        account=f"{LOCATION}@square",
        currency=currency,
        call_seconds=call_seconds,
        now=time.now,
        close=http.aclose,
    )


def an_event_log(
    transport: httpx.AsyncBaseTransport, *, read_seconds: float = 5.0
) -> SquareEventLog:
    http = http_client(read_seconds, transport)
    client = AsyncSquare(token=ACCESS_TOKEN, base_url="http://square", httpx_client=http)
    return SquareEventLog(
        client, EventReader(LOCATION), location_id=LOCATION, read_seconds=read_seconds
    )


def a_gateway_that_hears(answering: Answering, **but: Any) -> tuple[SquareGateway, Recorder]:
    """A gateway to a Square that answers whatever `answering` says."""
    wire = Recorder(httpx.MockTransport(answering))
    return a_gateway(wire, Time(), **but), wire


# Policing ---------------------------------------------------------------------------------


def specification() -> Any:
    """Square's official description with its checker; None where they are not at hand."""
    return described_in("square/square.reduced.json")


def breaches(exchanges: list[Exchange]) -> list[str]:
    """What Square's own description says against these exchanges."""
    spec = specification()
    found: list[str] = []
    for exchange in exchanges:
        request = exchange.request
        method, url = request.method, str(request.url)
        body = request.content.decode()
        headers = {name.lower(): value for name, value in request.headers.items()}
        wrong = [] if exchange.status == 404 else spec.request_errors(method, url, headers, body)
        if exchange.answer:
            # Only 200 is described; errors come in the same object.
            wrong += spec.response_errors(method, url, 200, _json(exchange.answer))
        found += [f"{method} {url} {exchange.status}: {one}" for one in wrong]
    return found


def _json(answer: bytes) -> Any:
    return httpx.Response(200, content=answer).json()
