"""A server in PayPal's place that answers as badly as a test wants, and who asks it."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from order_paypal import ApiAnswer, ApiRequest, PayPalTransport
from tests.integration.paypal_listening import listening

ORDER = ApiRequest("GET", "/v2/checkout/orders/5O190127TN364715T")
PAY = ApiRequest("POST", "/v2/checkout/orders/5O190127TN364715T/capture", {"a": "4111"}, "key-7")
Answering = Callable[["Heard"], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Heard:
    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(slots=True)
class Server:
    """Answers each request with what `answer` makes of it; None cuts the connection."""

    answer: Answering
    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    tokens: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = (line.partition(": ") for line in head[1:] if line)
            headers = {name.lower(): value for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            heard = Heard(head[0], headers, body, number)
            self.heard.append(heard)
            if "oauth2/token" in heard.line:
                self.tokens += 1
            answer = await self.answer(heard)
            if answer is None:
                break
            writer.write(answer)
            await writer.drain()

    @property
    def api_calls(self) -> list[Heard]:
        return [heard for heard in self.heard if "oauth2/token" not in heard.line]


def http(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def token_answer(number: int = 1, seconds: int = 32400) -> bytes:
    return http(200, json.dumps({"access_token": f"T{number}", "expires_in": seconds}).encode())


def always(answer: bytes | None) -> Answering:
    async def answering(heard: Heard) -> bytes | None:
        return token_answer() if "oauth2/token" in heard.line else answer

    return answering


@contextlib.asynccontextmanager
async def serving(answer: Answering) -> AsyncGenerator[Server]:
    heard = Server(answer)
    async with listening(heard.serve) as heard.url:
        yield heard


def transport(server: Server, **but: Any) -> PayPalTransport:
    return PayPalTransport(
        **{"client_id": "me", "client_secret": "s3cret", "endpoint": server.url, **but}
    )


async def call(
    api: PayPalTransport, request: ApiRequest = ORDER, seconds: float = 5.0
) -> ApiAnswer:
    return await asyncio.to_thread(
        api.call, request, until=time.monotonic() + seconds, may_leave=lambda: True
    )
