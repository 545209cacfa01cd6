"""Each defect of PayPal's deprecated SDK, met by the transport that is built on it."""

import asyncio
import base64
import contextlib
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from order_core.outcomes import NotSent
from order_memory.contracts import samples
from order_paypal import ApiAnswer, ApiRequest, NoAnswer, PayPalTransport, RequestNotSent
from tests.integration.paypal_listening import listening
from tests.integration.paypal_wire import paypal_wire

_ORDER = ApiRequest("GET", "/v2/checkout/orders/5O190127TN364715T")
_PAY = ApiRequest("POST", "/v2/checkout/orders/5O190127TN364715T/capture", {"a": "4111"}, "key-7")

Answering = Callable[["_Heard"], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class _Heard:
    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(slots=True)
class _Server:
    """Answers each request with what `answer` makes of it; None cuts the connection."""

    answer: Answering
    url: str = ""
    heard: list[_Heard] = field(default_factory=list)
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
            heard = _Heard(head[0], headers, body, number)
            self.heard.append(heard)
            if "oauth2/token" in heard.line:
                self.tokens += 1
            answer = await self.answer(heard)
            if answer is None:
                break
            writer.write(answer)
            await writer.drain()

    @property
    def api_calls(self) -> list[_Heard]:
        return [heard for heard in self.heard if "oauth2/token" not in heard.line]


def http(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def token_answer(number: int = 1, seconds: int = 32400) -> bytes:
    return http(200, json.dumps({"access_token": f"T{number}", "expires_in": seconds}).encode())


def always(answer: bytes | None) -> Answering:
    async def answering(heard: _Heard) -> bytes | None:
        return token_answer() if "oauth2/token" in heard.line else answer

    return answering


@contextlib.asynccontextmanager
async def serving(answer: Answering) -> AsyncGenerator[_Server]:
    heard = _Server(answer)
    async with listening(heard.serve) as heard.url:
        yield heard


def transport(server: _Server, **but: Any) -> PayPalTransport:
    return PayPalTransport(
        **{"client_id": "me", "client_secret": "s3cret", "endpoint": server.url, **but}
    )


async def call(
    api: PayPalTransport, request: ApiRequest = _ORDER, seconds: float = 5.0
) -> ApiAnswer:
    return await asyncio.to_thread(
        api.call, request, until=time.monotonic() + seconds, may_leave=lambda: True
    )


# 1: no time-out, a new connection each time, redirects ------------------------------------


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def silence(heard: _Heard) -> bytes | None:
        if "oauth2/token" in heard.line:
            return token_answer()
        await asyncio.sleep(5)
        return None

    async with serving(silence) as server:
        api = transport(server)
        begun = time.monotonic()

        with pytest.raises(NoAnswer):
            await call(api, _PAY, seconds=0.4)

        assert time.monotonic() - begun < 2
        api.close()


async def test_an_answer_that_trickles_in_is_given_up_too() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 9000\r\n\r\n")
        for _ in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with listening(trickle) as url:
        api = PayPalTransport(client_id="me", client_secret="s3cret", endpoint=url)
        begun = time.monotonic()

        with pytest.raises(RequestNotSent, match="no_token"):
            await call(api, seconds=0.4)

        assert time.monotonic() - begun < 2
        api.close()


async def test_connections_are_used_again() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        for _ in range(3):
            await call(api)

        assert len(server.api_calls) == 3
        assert server.connections == 1
        api.close()


async def test_a_redirect_is_not_followed() -> None:
    async with serving(always(http(302, b"{}", "Location: /elsewhere"))) as server:
        api = transport(server)

        assert (await call(api)).status == 302
        assert len(server.api_calls) == 1
        api.close()


async def test_a_netrc_cannot_replace_our_credentials(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password eve\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with serving(always(http(200))) as server:
        api = transport(server)

        await call(api)

        assert server.api_calls[0].headers["authorization"] == "Bearer T1"
        api.close()


# 2: repeated 401 recurses without bound ---------------------------------------------------


async def test_401_for_ever_is_one_fresh_token_and_then_the_answer() -> None:
    async with serving(always(http(401))) as server:
        api = transport(server)

        assert (await call(api)).status == 401

        assert (len(server.api_calls), server.tokens) == (2, 2)
        api.close()


async def test_a_withdrawn_token_is_replaced_without_anybody_noticing() -> None:
    async with paypal_wire() as wire:
        api = wire.transport()
        order = wire.emulator.books.open(intent="CAPTURE", value=1, currency="EUR")
        request = ApiRequest("GET", f"/v2/checkout/orders/{order.id}")
        await call(api, request)
        wire.emulator.withdraw_tokens()

        assert (await call(api, request)).status == 200
        api.close()


async def test_wrong_credentials_are_a_mistake_of_ours_and_nothing_was_sent() -> None:
    async with paypal_wire() as wire:
        gateway = wire.gateway(api=wire.transport(client_secret="wrong"))
        charge = samples.a_charge("order-9", datetime.now(UTC), token="vault:paypal:ok")

        assert await gateway.send(charge) == NotSent("misconfigured:credentials_refused")
        assert wire.asked("POST") == []
        await gateway.close()


# 3: the caller's headers on the token request ---------------------------------------------


async def test_the_token_request_has_only_its_own_headers() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        await call(api, _PAY)

        asked = server.heard[0]
        assert asked.body == b"grant_type=client_credentials"
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"me:s3cret").decode()
        assert not {"paypal-request-id", "prefer"} & set(asked.headers)
        assert server.api_calls[0].headers["paypal-request-id"] == "key-7"
        api.close()


# 4 and 5: errors and garbage that look like answers ---------------------------------------


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
async def test_an_error_stays_an_error(status: int) -> None:
    async with serving(always(http(status, b'{"name": "X"}'))) as server:
        api = transport(server)

        answer = await call(api, _PAY)

        assert (answer.status, answer.is_success, answer.body) == (status, False, {"name": "X"})
        api.close()


@pytest.mark.parametrize("status", [201, 400])
@pytest.mark.parametrize("garbage", [b"<html>", b"[1]", b"\xff\xfe", b"[" * 100_000])
async def test_what_cannot_be_read_has_no_body_to_read(status: int, garbage: bytes) -> None:
    async with serving(always(http(status, garbage))) as server:
        api = transport(server)

        assert await call(api, _PAY) == ApiAnswer(status, None)
        api.close()


async def test_an_answer_without_end_is_no_answer() -> None:
    async with serving(always(http(200, b" " * (2**20 + 1)))) as server:
        api = transport(server)

        with pytest.raises(NoAnswer, match="answer_too_long"):
            await call(api)
        api.close()


# 6: GET with a body -----------------------------------------------------------------------


async def test_a_question_has_no_body() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        await call(api)

        (asked,) = server.api_calls
        assert asked.body == b""
        assert not {"content-type", "content-length"} & set(asked.headers)
        api.close()


# 7: 429, and network faults as they come --------------------------------------------------


async def test_a_rate_limit_says_how_long_to_wait() -> None:
    async with serving(always(http(429, b"{}", "Retry-After: 7"))) as server:
        api = transport(server)

        assert await call(api) == ApiAnswer(429, {}, 7.0)
        api.close()


async def test_a_retry_after_that_is_no_number_is_left_out() -> None:
    async with serving(always(http(429, b"{}", "Retry-After: soon"))) as server:
        api = transport(server)

        assert (await call(api)).retry_after_seconds is None
        api.close()


async def test_nobody_listening_means_not_sent() -> None:
    async with serving(always(http(200))) as server:
        pass
    api = transport(server)

    with pytest.raises(RequestNotSent, match="cannot_connect"):
        await call(api)
    api.close()


async def test_a_connection_that_breaks_may_have_carried_the_request() -> None:
    async with serving(always(None)) as server:
        api = transport(server)

        with pytest.raises(NoAnswer, match="connection_failed"):
            await call(api, _PAY)
        api.close()


async def test_a_token_that_cannot_be_had_means_not_sent() -> None:
    async def no_token(heard: _Heard) -> bytes | None:
        return None

    async with serving(no_token) as server:
        api = transport(server)

        with pytest.raises(RequestNotSent, match="no_token"):
            await call(api, _PAY)

        assert server.api_calls == []
        api.close()


# 8: secrets in logs -----------------------------------------------------------------------


async def test_neither_log_nor_error_nor_repr_shows_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(always(None)) as server:
        api = transport(server)

        with pytest.raises(NoAnswer) as failure:
            await call(api, _PAY)

        basic = base64.b64encode(b"me:s3cret").decode()
        shown = f"{caplog.text} {api!r} {failure.value!r} {failure.getrepr(style='long')}"
        assert not [secret for secret in ("s3cret", basic, "T1", "4111") if secret in shown]
        api.close()


# 9: the token cache -----------------------------------------------------------------------


async def test_forty_cold_calls_at_once_fetch_one_token() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        await asyncio.gather(*(call(api) for _ in range(40)))

        assert (server.tokens, len(server.api_calls)) == (1, 40)
        api.close()


async def test_a_token_is_fetched_anew_a_minute_before_it_ends() -> None:
    fetched = iter(range(1, 9))

    async def short_lived(heard: _Heard) -> bytes | None:
        if "oauth2/token" in heard.line:
            return token_answer(next(fetched), seconds=100)
        return http(200)

    now = [1000.0]
    async with serving(short_lived) as server:
        api = transport(server, monotonic=lambda: now[0])

        for now[0] in (1000.0, 1039.0, 1041.0):
            await asyncio.to_thread(api.call, _ORDER, until=now[0] + 5, may_leave=lambda: True)

        used = [heard.headers["authorization"] for heard in server.api_calls]
        assert used == ["Bearer T1", "Bearer T1", "Bearer T2"]
        api.close()


# 10: the environment, and paths that are patterns -----------------------------------------


async def test_the_environment_is_left_alone() -> None:
    before = dict(os.environ)
    async with serving(always(http(200))) as server:
        api = transport(server)
        await call(api)
        api.close()

    assert dict(os.environ) == before


@pytest.mark.parametrize(
    "path",
    [
        "/v2/checkout/orders/..",
        "/v2/checkout/orders/a\\1",
        "/v2/checkout/orders/a?b=c",
        "/v2/checkout/orders/",
        "//elsewhere.example/v2",
        "/v2/checkout/orders/%2e%2e",
    ],
)
async def test_a_path_that_is_none_reaches_nobody(path: str) -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        with pytest.raises(RequestNotSent, match="bad_path"):
            await call(api, ApiRequest("GET", path))

        assert server.heard == []
        api.close()


# 11: retries are ours ---------------------------------------------------------------------


async def test_nothing_is_sent_twice_by_itself() -> None:
    async with serving(always(None)) as server:
        api = transport(server)

        with pytest.raises(NoAnswer):
            await call(api, _PAY)

        assert len(server.api_calls) == 1
        api.close()


# The moment before the bytes leave --------------------------------------------------------


async def test_what_may_not_leave_any_more_does_not() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)
        # The token still comes; only then is it asked whether the request may leave.
        with pytest.raises(RequestNotSent, match="too_late"):
            await asyncio.to_thread(
                api.call, _PAY, until=time.monotonic() + 5, may_leave=lambda: False
            )

        assert (server.tokens, server.api_calls) == (1, [])
        api.close()


async def test_the_ways_of_the_sdk_are_closed() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        with pytest.raises(TypeError, match="use PayPalTransport"):
            api.post("v2/checkout/orders", {})

        assert server.heard == []
        api.close()
