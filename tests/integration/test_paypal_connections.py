"""Defects of PayPal's deprecated SDK around connections, met by the transport built on it.

There is no time-out, each call is a new connection, faults of the network come as they are, and
what was sent may be sent again.
"""

import asyncio
import time

import pytest

from order_paypal import NoAnswer, PayPalTransport, RequestNotSent
from tests.integration.paypal_listening import listening
from tests.integration.paypal_server import (
    PAY,
    Heard,
    always,
    call,
    http,
    serving,
    token_answer,
    transport,
)


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def silence(heard: Heard) -> bytes | None:
        if "oauth2/token" in heard.line:
            return token_answer()
        await asyncio.sleep(5)
        return None

    async with serving(silence) as server:
        api = transport(server)
        begun = time.monotonic()

        with pytest.raises(NoAnswer):
            await call(api, PAY, seconds=0.4)

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
            await call(api, PAY)
        api.close()


async def test_nothing_is_sent_twice_by_itself() -> None:
    async with serving(always(None)) as server:
        api = transport(server)

        with pytest.raises(NoAnswer):
            await call(api, PAY)

        assert len(server.api_calls) == 1
        api.close()


async def test_what_may_not_leave_any_more_does_not() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)
        # The token still comes; only then is it asked whether the request may leave.
        with pytest.raises(RequestNotSent, match="too_late"):
            await asyncio.to_thread(
                api.call, PAY, until=time.monotonic() + 5, may_leave=lambda: False
            )

        assert (server.tokens, server.api_calls) == (1, [])
        api.close()
