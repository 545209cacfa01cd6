"""What an issuer publishes about itself: where its keys are, and which they are."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import cache
from ssl import SSLContext
from typing import Final

import httpx

from order_jwt.addresses import checked_address, discovery_address, is_local
from order_jwt.fetch_keys import FetchKeys, IssuerUnreadable
from order_jwt.key_set import KeySet

FETCH_SECONDS: Final = 5.0
"""For all that one look at the issuer takes, however slowly its bytes drip."""

LARGEST_DOCUMENT: Final = 256 * 1024

OpenClient = Callable[[str], httpx.AsyncClient]


def client_for(address: str) -> httpx.AsyncClient:
    """A client for one look at `address`, through the proxy that the environment names."""
    return httpx.AsyncClient(
        verify=_ssl_context(),
        timeout=FETCH_SECONDS,
        # A redirect would let whoever answers name the next one to be believed.
        follow_redirects=False,
        trust_env=not is_local(address),
    )


@cache
def _ssl_context() -> SSLContext:
    # Reading the root certificates takes longer than the whole answer of an issuer.
    return httpx.create_ssl_context()


def keys_at(
    address: str, *, open_client: OpenClient = client_for, seconds: float = FETCH_SECONDS
) -> FetchKeys:
    """Fetches the JWKS document at `address`, which was checked."""

    async def fetch(client: httpx.AsyncClient) -> KeySet:
        return KeySet.read(await _json_at(client, address))

    return _bounded(fetch, lambda: open_client(address), seconds)


def discovered_keys(
    issuer: str, *, open_client: OpenClient = client_for, seconds: float = FETCH_SECONDS
) -> FetchKeys:
    """Asks `issuer`, whose name was checked, where its keys are, and fetches them."""

    async def fetch(client: httpx.AsyncClient) -> KeySet:
        metadata = await _json_at(client, discovery_address(issuer))
        return KeySet.read(await _json_at(client, _address_of_keys(metadata, issuer)))

    return _bounded(fetch, lambda: open_client(issuer), seconds)


def _address_of_keys(metadata: object, issuer: str) -> str:
    match metadata:
        case {"issuer": str(name), "jwks_uri": str(address)} if name == issuer:
            pass
        case _:
            raise ValueError("its metadata is about another issuer, or has no jwks_uri")
    try:
        checked_address(address)
    except ValueError as error:
        raise ValueError(f"its jwks_uri {error}") from None
    # An issuer elsewhere has no business on this machine.
    if is_local(address) and not is_local(issuer):
        raise ValueError("its jwks_uri is on this machine, and it is not")
    return address


def _bounded(
    fetch: Callable[[httpx.AsyncClient], Awaitable[KeySet]],
    open_client: Callable[[], httpx.AsyncClient],
    seconds: float,
) -> FetchKeys:
    async def fetch_in_time() -> KeySet:
        try:
            async with asyncio.timeout(seconds), open_client() as client:
                return await fetch(client)
        except TimeoutError:
            raise IssuerUnreadable(f"it did not answer within {seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise IssuerUnreadable(f"it cannot be asked ({type(error).__name__})") from None
        except (ValueError, RecursionError) as error:
            raise IssuerUnreadable(str(error)) from None

    return fetch_in_time


async def _json_at(client: httpx.AsyncClient, address: str) -> object:
    # Compressed, a small answer could become a large one in one step.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with client.stream("GET", address, headers=headers) as answer:
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"it answered {answer.status_code}")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise ValueError("it answered in an encoding that was not asked for")
        content = bytearray()
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > LARGEST_DOCUMENT:
                raise ValueError(f"it answered more than {LARGEST_DOCUMENT} bytes")
    try:
        value: object = json.loads(content)
    except ValueError:
        raise ValueError("it answered what is not JSON") from None
    return value
