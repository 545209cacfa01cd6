"""What a request costs the database is counted: one statement more shows, whatever the clock."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from order_jwt import issue_token
from order_sqlalchemy import upgrade
from order_wiring.composition import running
from order_wiring.configuration import read_configuration
from order_wiring.http_app import app_of
from order_wiring.settings import SERVING
from tests.integration.service_process import SECRET, an_order
from tests.integration.sqlalchemy_wire import RoundTrips, counted


class Shop:
    """The service as `serve` makes it, on one connection whose statements are seen."""

    def __init__(self, client: httpx.AsyncClient, trips: RoundTrips, connections: Any) -> None:
        self.client = client
        self._trips = trips
        self._connections = connections
        self.seen: list[str] = []

    async def watch(self) -> None:
        pooled = await self._connections.take()
        pooled.driver_connection.add_query_logger(lambda query: self.seen.append(query.query))
        self._connections.give_back(pooled)

    async def cost(self, method: str, path: str, **how: Any) -> tuple[int, int, int]:
        """Statements, round trips, and how many of the statements write, each its own commit."""
        await asyncio.sleep(0)
        self.seen.clear()
        before = self._trips.count
        answer = await self.client.request(method, path, **how)
        assert answer.is_success, answer.text
        await asyncio.sleep(0)  # The driver tells its loggers a moment later.
        writing = [each for each in self.seen if "INSERT" in each or "UPDATE" in each]
        assert not [each for each in self.seen if each.strip() in {"BEGIN", "COMMIT"}]
        return len(self.seen), self._trips.count - before, len(writing)

    async def place(self, number: int) -> str:
        body = an_order(payment_method="ok") | {"shipping_address": f"{number} Quay Street"}
        answer = await self.client.post("/api/orders/create", json=body)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return answer.headers["Location"]


@pytest.fixture
async def shop(postgres_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    await upgrade(postgres_url)
    async with counted(postgres_url) as (url, trips):
        settings = read_configuration(
            {
                "ORDER_CORE_DATABASE_URL": url,
                "ORDER_CORE_JWT_SECRET": SECRET,
                "ORDER_CORE_PRICES": "trust",
                "ORDER_CORE_SANDBOX": "1",
                "ORDER_CORE_SANDBOX_LEDGER": str(tmp_path / "ledger.sqlite3"),
            },
            SERVING,
        )
        token = issue_token(SECRET, subject="ada", scopes=("orders:read", "orders:write"))
        async with (
            running(settings) as service,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app_of(service)),
                base_url="http://shop.test",
                headers={"Authorization": f"Bearer {token}"},
            ) as client,
        ):
            connections = service.database.store.connections  # type: ignore[attr-defined]
            shop = Shop(client, trips, connections)
            await shop.watch()
            yield shop


async def test_each_request_costs_what_it_must_and_no_statement_more(shop: Shop) -> None:
    # The driver prepares each statement once a connection; and so does each form of a save.
    placed = [await shop.place(number) for number in range(12)]
    await shop.client.get(placed[0])
    await shop.client.get("/api/orders/")
    await shop.client.get("/api/orders/?limit=1")
    await shop.client.post(f"{placed[0]}/cancel")
    body = an_order(payment_method="ok")

    costs = {
        "get": await shop.cost("GET", placed[1]),
        "list of ten": await shop.cost("GET", "/api/orders/"),
        "list of one": await shop.cost("GET", "/api/orders/?limit=1"),
        "create": await shop.cost("POST", "/api/orders/create", json=body),
        "cancel": await shop.cost("POST", f"{placed[2]}/cancel"),
    }

    assert costs == {
        "get": (1, 1, 0),
        "list of ten": (1, 1, 0),
        "list of one": (1, 1, 0),
        # Recorded before the call, settled after it.
        "create": (2, 2, 2),
        # Read; cancelled with its refund recorded; the refund's answer.
        "cancel": (3, 3, 2),
    }


async def test_a_repeat_with_its_key_reads_what_it_was_answered(shop: Shop) -> None:
    body = an_order(payment_method="ok")
    how = {"json": body, "headers": {"Idempotency-Key": "k-1"}}
    await shop.cost("POST", "/api/orders/create", **how)
    await shop.cost("POST", "/api/orders/create", **how)

    # The save that the key refuses, and the order that is there.
    assert await shop.cost("POST", "/api/orders/create", **how) == (2, 2, 1)
