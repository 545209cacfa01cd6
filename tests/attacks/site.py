"""The place that is attacked: an application, its victim's order, and what is stored."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from order_http.endpoint import Endpoint
from tests.attacks.callers import NOBODY, VICTIM
from tests.attacks.rows import BODY_OF_VICTIM, Row

KEY_OF_VICTIM = "the-victims-key"


@dataclass(frozen=True)
class Site:
    """`state` is everything that an attack could have changed."""

    app: Starlette
    tokens: Mapping[str, str]
    state: Callable[[], Awaitable[object]]
    owner_of: Callable[[str], Awaitable[str]]
    order_id: str = ""
    watch: Callable[[httpx.Response], Awaitable[None]] | None = None

    def client(self, caller: str) -> httpx.AsyncClient:
        headers = {} if caller == NOBODY else {"Authorization": f"Bearer {self.tokens[caller]}"}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://shop.test",
            headers=headers,
            event_hooks={"response": [self.watch] if self.watch else []},
        )

    async def send(
        self,
        caller: str,
        endpoint: Endpoint,
        row: Row,
        *,
        method: str | None = None,
        order_id: str | None = None,
        **more: Any,
    ) -> httpx.Response:
        """The request of `row`, by somebody, about the victim's order unless told otherwise."""
        order_id = self.order_id if order_id is None else order_id
        path = endpoint.path.format(**{"order_id": order_id, **row.values})
        more["params"] = {**row.query, **more.get("params", {})}
        if row.body is not None:
            more.setdefault("json", row.body)
        async with self.client(caller) as client:
            return await client.request(method or endpoint.method, path, **more)


async def place_victims_order(site: Site) -> str:
    """The id of an order that is paid, placed with a key."""
    async with site.client(VICTIM) as victim:
        placed = await victim.post(
            "/api/orders/create", json=BODY_OF_VICTIM, headers={"Idempotency-Key": KEY_OF_VICTIM}
        )
    assert placed.status_code == 201, placed.text
    return str(placed.json()["order_id"])
