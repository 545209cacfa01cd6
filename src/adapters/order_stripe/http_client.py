"""Stripe's SDK over a ready httpx client, so that a request that never left is known as such."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import httpx
import stripe

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 15.0
_LARGEST_ANSWER: Final = 8_000_000
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class NeverSent(stripe.APIConnectionError):
    """No connection, so no byte left."""

    def __init__(self, because: str) -> None:
        super().__init__(because, should_retry=False)  # type: ignore[no-untyped-call]


class _Broken(stripe.APIConnectionError):
    """The connection broke when the request may have left."""

    def __init__(self, because: str) -> None:
        super().__init__(because, should_retry=False)  # type: ignore[no-untyped-call]


class StripeHttp(stripe.HTTPClient):
    """What the SDK sends through. Sends once, whatever happens: there is one retry policy."""

    name = "httpx"

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__()
        self._client = client

    async def request_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,  # noqa: ANN401 - the SDK's own signature
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request.

        Raises:
            NeverSent: it certainly did not leave.
            stripe.APIConnectionError: it may have.
        """
        try:
            async with self._client.stream(
                method, url, headers=dict(headers), content=post_data
            ) as answer:
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > _LARGEST_ANSWER:
                        _broken("the answer is too large", None)
                return bytes(body), answer.status_code, answer.headers
        except _NEVER_SENT as error:
            raise NeverSent(type(error).__name__) from error
        except (httpx.HTTPError, OSError) as error:
            _broken(type(error).__name__, error)

    async def request_stream_async(self, *_: object, **__: object) -> NoReturn:
        """Not needed for payments."""
        raise NotImplementedError

    def sleep_async(self, secs: float) -> Any:  # noqa: ANN401 - the SDK's own signature
        """Never asked for: nothing is sent twice."""
        return asyncio.sleep(secs)

    async def close_async(self) -> None:
        """Close the httpx client."""
        await self._client.aclose()


def stripe_client(
    api_key: str, http: httpx.AsyncClient, api_base: str | None = None
) -> stripe.StripeClient:
    """The SDK's client over `http`, without its own retries and telemetry."""
    # Otherwise the SDK writes a file into the home directory, and reports about this machine.
    stripe.enable_telemetry = False
    logging.getLogger("stripe").addFilter(_without_bodies)
    return stripe.StripeClient(
        api_key,
        http_client=StripeHttp(http),
        max_network_retries=0,
        base_addresses={"api": api_base} if api_base else {},
    )


def httpx_client() -> httpx.AsyncClient:
    """A client whose every wait ends in time for `StripeGateway`'s call budget."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
    )


def _without_bodies(record: logging.LogRecord) -> bool:
    # At this level the SDK writes down whole bodies: payment tokens and client secrets.
    return record.levelno > logging.DEBUG


def _broken(because: str, cause: BaseException | None) -> NoReturn:
    raise _Broken(because) from cause
