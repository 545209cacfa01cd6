"""A pretended PayPal behind a real socket, and a record of everything that went over it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette

from order_emulators.chassis import Fault, Post, Provision, build_app
from order_emulators.chassis.delivery import post_over_http
from order_emulators.paypal import PayPalEmulator
from order_paypal import PayPalGateway, PayPalTransport
from tests.integration.official_descriptions import SHARED, described_in
from tests.integration.paypal_listening import listening

CLIENT_ID = "client-of-the-shop"
CLIENT_SECRET = "secret-that-never-shows-4711"
WEBHOOK_ID = "8PT597110X687430LKGECATA"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; status 0 if the connection was cut."""

    method: str
    path: str
    """With the query."""
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes


@dataclass(slots=True)
class PayPalWire:
    """Where the emulator listens, and what it heard."""

    emulator: PayPalEmulator
    app: Starlette
    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)

    def transport(self, **but: Any) -> PayPalTransport:
        values = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "endpoint": self.url}
        return PayPalTransport(**{**values, **but})

    def gateway(self, **but: Any) -> PayPalGateway:
        api = but.pop("api", None) or self.transport()
        return PayPalGateway(api, **{"account": "test", **but})

    async def order_faults(self, on: str, kind: Fault, **more: Any) -> None:
        rule = {"on": on, "kind": kind, **more}
        await self.control("/_emulator/faults", [rule])

    async def control(self, path: str, body: object) -> None:
        sent: list[dict[str, Any]] = []
        await self.app(
            {
                "type": "http",
                "method": "POST",
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "headers": [],
            },
            _receiving(json.dumps(body).encode()),
            _collecting(sent),
        )
        assert sent[0]["status"] == 200, sent

    def asked(self, method: str, end: str = "") -> list[Exchange]:
        """The requests of this method whose path ends like this, tokens left out."""
        return [
            exchange
            for exchange in self.exchanges
            if exchange.method == method
            and exchange.path.endswith(end)
            and not exchange.path.endswith("/oauth2/token")
        ]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._answer_one(reader, writer)

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "method": method,
            "path": path.partition("?")[0],
            "raw_path": path.encode(),
            "query_string": path.partition("?")[2].encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        try:
            await self.app(scope, _receiving(body), _collecting(sent))
        except OSError:
            raise
        except Exception as cut:
            self.exchanges.append(Exchange(method, path, headers, body, 0, b""))
            raise ConnectionError from cut
        status = sent[0]["status"]
        answer = b"".join(message.get("body", b"") for message in sent[1:])
        self.exchanges.append(Exchange(method, path, headers, body, status, answer))
        lines = [f"HTTP/1.1 {status} As Told"]
        lines += [f"{name.decode()}: {value.decode()}" for name, value in sent[0]["headers"]]
        if status == 204:
            lines = [line for line in lines if not line.lower().startswith("content-length")]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + answer)
        await writer.drain()


def _receiving(body: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _collecting(sent: list[dict[str, Any]]) -> Any:
    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    return send


@contextlib.asynccontextmanager
async def paypal_wire(
    provision: Provision | None = None, *, post: Post = post_over_http
) -> AsyncGenerator[PayPalWire]:
    """The emulator on a free port; at the end everything is compared with the official files."""
    secrets = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "webhook_id": WEBHOOK_ID,
    }
    provision = provision or Provision(secrets=secrets)
    emulator = PayPalEmulator(provision)
    wire = PayPalWire(emulator, build_app(emulator, provision, post=post))
    async with listening(wire.serve) as wire.url:
        yield wire
    assert [broken for exchange in wire.exchanges for broken in broken_by(exchange)] == []


# The official descriptions ----------------------------------------------------------------

# PayPal answers so to a capture too; the description of 2024-02 names it for authorize alone.
_NEWER_ISSUES = {("capture", "ACTION_DOES_NOT_MATCH_INTENT")}
# What the address of a next page asks for; the description names no such parameter.
_OF_A_NEXT_PAGE = ("move_to", "index_time", "index_id")
_DESCRIPTIONS = {
    "/v1/notifications/webhooks": "notifications_webhooks_v1",
    "/v2/checkout/": "checkout_orders_v2",
    "/v2/payments/": "payments_payment_v2",
}
# Described only by a class of errors (`default`), or not at all.
_UNDESCRIBED_STATUSES = {0, 409, 429, 500}


def spec_of(path: str) -> Any:
    """The official description of the path; skips the test where it is not at hand."""
    if not SHARED.is_dir():
        pytest.skip("NOT CHECKED against PayPal's OpenAPI files: there is no ../shared")
    name = next(name for begin, name in _DESCRIPTIONS.items() if path.startswith(begin))
    return described_in(f"paypal/{name}.json")


def broken_by(exchange: Exchange) -> list[str]:
    """Which rules of the official description an exchange breaks."""
    if not exchange.path.startswith(tuple(_DESCRIPTIONS)) or not SHARED.is_dir():
        return []
    spec = spec_of(exchange.path)
    broken: list[str] = spec.request_errors(
        exchange.method, exchange.path, exchange.headers, exchange.body.decode()
    )
    broken = [what for what in broken if not what.endswith(_OF_A_NEXT_PAGE)]
    if exchange.status not in _UNDESCRIBED_STATUSES and not _is_newer(exchange):
        answer = json.loads(exchange.answer) if exchange.answer else None
        broken += spec.response_errors(exchange.method, exchange.path, exchange.status, answer)
    return [f"{exchange.method} {exchange.path} {exchange.status}: {what}" for what in broken]


def _is_newer(exchange: Exchange) -> bool:
    return any(
        exchange.path.endswith(end) and issue.encode() in exchange.answer
        for end, issue in _NEWER_ISSUES
    )
