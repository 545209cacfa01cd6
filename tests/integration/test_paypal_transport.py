"""Defects of PayPal's deprecated SDK that touch a request or its answer, met by the transport.

Redirects are followed, errors and garbage look like answers, GET has a body, a 429 says no time,
secrets are logged, the environment is changed, and paths are patterns.
"""

import base64
import logging
import os

import pytest

from order_paypal import ApiAnswer, ApiRequest, NoAnswer, RequestNotSent
from tests.integration.paypal_server import PAY, always, call, http, serving, transport


async def test_a_redirect_is_not_followed() -> None:
    async with serving(always(http(302, b"{}", "Location: /elsewhere"))) as server:
        api = transport(server)

        assert (await call(api)).status == 302
        assert len(server.api_calls) == 1
        api.close()


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
async def test_an_error_stays_an_error(status: int) -> None:
    async with serving(always(http(status, b'{"name": "X"}'))) as server:
        api = transport(server)

        answer = await call(api, PAY)

        assert (answer.status, answer.is_success, answer.body) == (status, False, {"name": "X"})
        api.close()


@pytest.mark.parametrize("status", [201, 400])
@pytest.mark.parametrize("garbage", [b"<html>", b"[1]", b"\xff\xfe", b"[" * 100_000])
async def test_what_cannot_be_read_has_no_body_to_read(status: int, garbage: bytes) -> None:
    async with serving(always(http(status, garbage))) as server:
        api = transport(server)

        assert await call(api, PAY) == ApiAnswer(status, None)
        api.close()


async def test_an_answer_without_end_is_no_answer() -> None:
    async with serving(always(http(200, b" " * (2**20 + 1)))) as server:
        api = transport(server)

        with pytest.raises(NoAnswer, match="answer_too_long"):
            await call(api)
        api.close()


async def test_a_question_has_no_body() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        await call(api)

        (asked,) = server.api_calls
        assert asked.body == b""
        assert not {"content-type", "content-length"} & set(asked.headers)
        api.close()


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


async def test_neither_log_nor_error_nor_repr_shows_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(always(None)) as server:
        api = transport(server)

        with pytest.raises(NoAnswer) as failure:
            await call(api, PAY)

        basic = base64.b64encode(b"me:s3cret").decode()
        shown = f"{caplog.text} {api!r} {failure.value!r} {failure.getrepr(style='long')}"
        assert not [secret for secret in ("s3cret", basic, "T1", "4111") if secret in shown]
        api.close()


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


async def test_the_ways_of_the_sdk_are_closed() -> None:
    async with serving(always(http(200))) as server:
        api = transport(server)

        with pytest.raises(TypeError, match="use PayPalTransport"):
            api.post("v2/checkout/orders", {})

        assert server.heard == []
        api.close()
