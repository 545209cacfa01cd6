"""What an issuer publishes about itself: where its keys are, and which they are."""

from collections.abc import Awaitable, Callable

import httpx

from order_jwt.addresses import checked_address, discovery_address, is_local
from order_jwt.asking import FETCH_SECONDS, OpenClient, client_for, json_answer, readable_within
from order_jwt.fetch_keys import FetchKeys
from order_jwt.key_set import KeySet


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
        async with readable_within(seconds), open_client() as client:
            return await fetch(client)

    return fetch_in_time


async def _json_at(client: httpx.AsyncClient, address: str) -> object:
    return await json_answer(client, client.build_request("GET", address))
