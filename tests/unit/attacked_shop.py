"""A shop in memory with the order of a victim in it."""

from dataclasses import replace

from order_http.endpoint import Endpoint
from order_memory import FixedTokens, in_memory_shop
from tests.attacks.callers import PRINCIPALS, UNPROVEN
from tests.attacks.site import Site, place_victims_order
from tests.unit.http_service import check_documented, service

# To a verifier of fixed tokens, one that has expired is one that it does not know.
_TOKENS = {caller: caller.replace(" ", "-") for caller in (*PRINCIPALS, *UNPROVEN)}
_VERIFIER = FixedTokens({_TOKENS[caller]: known for caller, known in PRINCIPALS.items()})


async def shop_in_memory(*planted: Endpoint) -> Site:
    """The API, and beside it what a test plants."""
    shop = in_memory_shop()
    store = shop.orders.store

    async def state() -> object:
        rows = {row.order.id: (row.order, row.events) for row in store.rows()}
        return rows, list(store.requests()), shop.gateway.asked

    async def owner_of(order_id: str) -> str:
        return store.row(order_id).order.customer_id

    app = service(shop.core, verifier=_VERIFIER, extra_routes=planted)
    site = Site(app, _TOKENS, state, owner_of, watch=check_documented)
    return replace(site, order_id=await place_victims_order(site))
