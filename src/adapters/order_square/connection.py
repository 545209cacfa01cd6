"""The HTTP client under Square's SDK: bounded in time, in size and in number."""

from collections.abc import AsyncIterator
from typing import Final

import httpx

CONNECT_SECONDS: Final = 3.0
POOL_SECONDS: Final = 2.0
LARGEST_ANSWER: Final = 2_000_000
MOST_CONNECTIONS: Final = 50


def http_client(
    call_seconds: float, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """A client that follows no redirect; `transport` replaces the network."""
    limits = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=20)
    timeout = httpx.Timeout(call_seconds, connect=CONNECT_SECONDS, pool=POOL_SECONDS)

    async def keep_our_times(request: httpx.Request) -> None:
        # The SDK sets one number for all phases, and a connect that never ends would then look
        # like an answer that never came.
        request.extensions["timeout"] = timeout.as_dict()

    return httpx.AsyncClient(
        transport=_Bounded(transport or httpx.AsyncHTTPTransport(limits=limits)),
        timeout=timeout,
        follow_redirects=False,
        # Compressed, a small answer could grow without a bound.
        headers={"accept-encoding": "identity"},
        event_hooks={"request": [keep_our_times]},
    )


class _Bounded(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise httpx.ReadError("the answer is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
