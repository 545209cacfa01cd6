"""The real SDK in front of the pretended Adyen, with every exchange kept and policed."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import requests
from requests.adapters import BaseAdapter

from order_adyen.client import checkout_api
from order_adyen.connection import Connection
from order_adyen.gateway import AdyenGateway
from order_adyen.webhooks import AdyenWebhooks
from order_core.payment import PaymentTransaction
from order_emulators import build_emulator
from order_memory.contracts import samples
from tests.integration.official_descriptions import described_in

API_KEY = "adyen-api-key-very-secret"
HMAC_KEY = "0F" * 32
MERCHANT = "KielMugs"
BASE = "http://127.0.0.1:4015/v72"
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
PAYS = "stored:OK7@ann"

Answering = Callable[[requests.PreparedRequest], requests.Response]


class Time:
    def __init__(self) -> None:
        self.is_now = NOON

    def now(self) -> datetime:
        return self.is_now

    async def sleep(self, seconds: float) -> None:
        self.is_now += timedelta(seconds=seconds)


def an_answer(status: int, body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content, response._content_consumed = body, True  # noqa: SLF001 - as if read
    response.encoding = "utf-8"
    return response


class Bridge(BaseAdapter):
    """Takes what the SDK sends from its thread to `answering`, and keeps it."""

    def __init__(self, answering: Answering) -> None:
        super().__init__()
        self.answering = answering
        self.exchanges: list[tuple[requests.PreparedRequest, requests.Response]] = []
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(request)
        response = self.answering(request)
        response.request = request
        response.url = request.url or ""
        self.exchanges.append((request, response))
        return response

    def close(self) -> None:
        pass

    def session(self) -> requests.Session:
        session = requests.Session()
        session.mount("http://", self)
        return session


def a_gateway(bridge: Bridge, time: Time, **but: Any) -> AdyenGateway:
    checkout = checkout_api(API_KEY, BASE, Connection(5.0, bridge.session))
    values = {"merchant": MERCHANT, "account": f"{MERCHANT}@test", "call_seconds": 5.0, **but}
    return AdyenGateway(checkout, now=time.now, **values)


class Adyen:
    """A pretended Adyen, a gateway to it, and what a test may ask of both."""

    def __init__(self) -> None:
        self.time = Time()
        self.told: list[bytes] = []
        self.loop = asyncio.get_running_loop()
        self.app = build_emulator(
            "adyen",
            webhook_url="https://shop.example/api/webhooks/adyen",
            secrets={"api_key": API_KEY, "merchant_account": MERCHANT, "hmac_key": HMAC_KEY},
            clock=self.time.now,
            sleep=self.time.sleep,
            post=self._post,
        )
        self.bridge = Bridge(self._ask)
        self.gateway = a_gateway(self.bridge, self.time)
        self.webhooks = AdyenWebhooks(hmac_key=HMAC_KEY, merchant=MERCHANT, now=self.time.now)

    async def _post(self, _url: str, body: bytes, _headers: Mapping[str, str]) -> int:
        self.told.append(body)
        return 200

    def _ask(self, request: requests.PreparedRequest) -> requests.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport) as client:
                body = request.body if isinstance(request.body, bytes) else b""
                headers = {name: str(value) for name, value in request.headers.items()}
                return await client.request(
                    request.method or "", request.url or "", content=body, headers=headers
                )

        try:
            answer = asyncio.run_coroutine_threadsafe(ask(), self.loop).result(10)
        except httpx.HTTPError as error:
            raise requests.ConnectionError("the connection was cut") from error
        return an_answer(answer.status_code, answer.content)

    async def control(self, path: str, body: object | None = None) -> Any:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://adyen") as client:
            method = "GET" if body is None else "POST"
            response = await client.request(method, f"/_emulator/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = await self.control("ledger")
        return entries

    async def events(self) -> list[bytes]:
        await self.control("webhooks", {"action": "drain"})
        return self.told

    def a_charge(self, token: str = PAYS, **but: Any) -> PaymentTransaction:
        values = {"provider": "adyen", "token": token, "installation": "kiel-1", **but}
        return samples.a_charge("order-7", self.time.now(), **values)


def specification() -> Any:
    """Adyen's official description with its checker; None where they are not at hand."""
    return described_in("adyen/CheckoutService-v72.json")


def breaches(exchanges: list[tuple[requests.PreparedRequest, requests.Response]]) -> list[str]:
    """What Adyen's own description says against these exchanges."""
    spec = specification()
    found: list[str] = []
    for request, response in exchanges:
        url = (request.url or "").replace("/v72", "")
        body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        wrong = spec.request_errors(request.method, url, headers, body)
        if response.status_code != 429:
            wrong += spec.response_errors(
                request.method, url, response.status_code, response.json()
            )
        found += [f"{request.method} {url} {response.status_code}: {one}" for one in wrong]
    return found
