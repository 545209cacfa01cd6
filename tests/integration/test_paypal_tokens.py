"""Defects of PayPal's deprecated SDK around its token, met by the transport built on it.

A netrc replaces the credentials, 401 recurses without bound, the token request has the caller's
headers, and nothing keeps a crowd from fetching a token each.
"""

import asyncio
import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from order_core.outcomes import NotSent
from order_memory.contracts import samples
from order_paypal import ApiRequest, RequestNotSent
from tests.integration.paypal_server import (
    ORDER,
    PAY,
    Heard,
    always,
    call,
    http,
    serving,
    token_answer,
    transport,
)
from tests.integration.paypal_wire import paypal_wire


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


async def test_the_token_request_has_only_its_own_headers() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        await call(api, PAY)

        asked = server.heard[0]
        assert asked.body == b"grant_type=client_credentials"
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"me:s3cret").decode()
        assert not {"paypal-request-id", "prefer"} & set(asked.headers)
        assert server.api_calls[0].headers["paypal-request-id"] == "key-7"
        api.close()


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


async def test_a_token_that_cannot_be_had_means_not_sent() -> None:
    async def no_token(heard: Heard) -> bytes | None:
        return None

    async with serving(no_token) as server:
        api = transport(server)

        with pytest.raises(RequestNotSent, match="no_token"):
            await call(api, PAY)

        assert server.api_calls == []
        api.close()


async def test_forty_cold_calls_at_once_fetch_one_token() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        await asyncio.gather(*(call(api) for _ in range(40)))

        assert (server.tokens, len(server.api_calls)) == (1, 40)
        api.close()


async def test_a_token_is_fetched_anew_a_minute_before_it_ends() -> None:
    fetched = iter(range(1, 9))

    async def short_lived(heard: Heard) -> bytes | None:
        if "oauth2/token" in heard.line:
            return token_answer(next(fetched), seconds=100)
        return http(200)

    now = [1000.0]
    async with serving(short_lived) as server:
        api = transport(server, monotonic=lambda: now[0])

        for now[0] in (1000.0, 1039.0, 1041.0):
            await asyncio.to_thread(api.call, ORDER, until=now[0] + 5, may_leave=lambda: True)

        used = [heard.headers["authorization"] for heard in server.api_calls]
        assert used == ["Bearer T1", "Bearer T1", "Bearer T2"]
        api.close()
