"""Asks an issuer over HTTP, within bounds of time and size."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import cache
from ssl import SSLContext
from typing import Final

import httpx

from order_jwt.addresses import is_local
from order_jwt.fetch_keys import IssuerUnreadable

FETCH_SECONDS: Final = 5.0
"""For all that one look at the issuer takes, however slowly its bytes drip."""

LARGEST_DOCUMENT: Final = 256 * 1024
MOST_CONNECTIONS: Final = 32

OpenClient = Callable[[str], httpx.AsyncClient]


def client_for(address: str) -> httpx.AsyncClient:
    """A client for questions to `address`, through the proxy that the environment names."""
    return httpx.AsyncClient(
        verify=_ssl_context(),
        timeout=FETCH_SECONDS,
        limits=httpx.Limits(max_connections=MOST_CONNECTIONS),
        # A redirect would let whoever answers name the next one to be believed.
        follow_redirects=False,
        trust_env=not is_local(address),
    )


@cache
def _ssl_context() -> SSLContext:
    # Reading the root certificates takes longer than the whole answer of an issuer.
    return httpx.create_ssl_context()


@asynccontextmanager
async def readable_within(seconds: float) -> AsyncGenerator[None]:
    """Whatever goes wrong inside raises `IssuerUnreadable`, a ValueError with its own text."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise IssuerUnreadable(f"it did not answer within {seconds:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise IssuerUnreadable(f"it cannot be asked ({type(error).__name__})") from None
    except (ValueError, RecursionError) as error:
        raise IssuerUnreadable(str(error)) from None


async def json_answer(
    client: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth | None = None
) -> object:
    """What is in the answer.

    Raises:
        ValueError: it is another one than 200, compressed, too large, or no JSON.
    """
    # Compressed, a small answer could become a large one in one step.
    request.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
    answer = await client.send(request, stream=True, auth=auth)
    try:
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"it answered {answer.status_code}")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise ValueError("it answered in an encoding that was not asked for")
        content = bytearray()
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > LARGEST_DOCUMENT:
                raise ValueError(f"it answered more than {LARGEST_DOCUMENT} bytes")
    finally:
        await answer.aclose()
    try:
        value: object = json.loads(content)
    except ValueError:
        raise ValueError("it answered what is not JSON") from None
    return value
