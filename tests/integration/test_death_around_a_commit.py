"""The service dies around the commit of orders that are stored together; everybody asks again."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from order_core.payment import TransactionKind
from tests.integration.service_process import ServiceProcess, an_order, books_of, run_command
from tests.integration.sqlalchemy_orders import run_sql
from tests.integration.sqlalchemy_wire import holding

_KETTLE = "kettle-of-a-dozen"
# Each wants another number of them.
_CLIENTS = range(1, 13)
_LARGEST_TRANSACTION = """
    SELECT COALESCE(max(orders), 0)
    FROM (SELECT count(*) AS orders FROM orders GROUP BY xmin::text) AS transactions"""


async def _wait_for(what: str, happened: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 10
    while not await happened():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.02)


def _clients(service: ServiceProcess) -> httpx.AsyncClient:
    one = service.client
    return httpx.AsyncClient(base_url=one.base_url, headers=one.headers, timeout=15)


async def _place(client: httpx.AsyncClient, number: int) -> dict[str, Any]:
    answer = await client.post(
        "/api/orders/create",
        json=an_order(items=[{"product_id": _KETTLE, "quantity": number, "price": 39.95}]),
        headers={"Idempotency-Key": f"basket-{number}"},
    )
    assert answer.is_success, answer.text
    placed: dict[str, Any] = answer.json()
    return placed


async def _place_all_and_die(service: ServiceProcess, moment: Awaitable[None]) -> None:
    async with _clients(service) as client:
        placing = [asyncio.create_task(_place(client, number)) for number in _CLIENTS]
        await moment
        assert not any(each.done() for each in placing), "nobody was answered"
        await asyncio.to_thread(service.kill)
        told = await asyncio.gather(*placing, return_exceptions=True)
    assert all(isinstance(each, httpx.TransportError) for each in told)


async def _start_again(service: ServiceProcess, url: str) -> None:
    # The time of the leases that the dead process held is longer than a test should take.
    await run_sql(url, "UPDATE orders SET lease_until_us = 0 WHERE lease_token IS NOT NULL")
    service.settings = {**service.settings, "DATABASE_URL": url}
    await asyncio.to_thread(service.start)


async def _see_that_each_gets_one_order(service: ServiceProcess, url: str) -> None:
    async with _clients(service) as client:
        placed, again = [
            await asyncio.gather(*(_place(client, number) for number in _CLIENTS)) for _ in range(2)
        ]
    ids = [order["order_id"] for order in placed]
    assert [order["order_id"] for order in again] == ids
    for order_id in ids:
        await asyncio.to_thread(service.wait_for_status, order_id, "pending", payment="paid")

    assert [order["items"][0]["quantity"] for order in placed] == list(_CLIENTS)
    assert sorted(await run_sql(url, "SELECT id FROM orders")) == sorted((each,) for each in ids)
    movements = [(movement.order_id, movement.kind) for movement in books_of(service)]
    assert sorted(movements) == sorted((each, TransactionKind.CHARGE) for each in ids)


@asynccontextmanager
async def _service(folder: Path, url: str) -> AsyncIterator[ServiceProcess]:
    await asyncio.to_thread(run_command, "migrate", DATABASE_URL=url)
    with ExitStack() as stack:
        # So few that those who wait go together.
        service = ServiceProcess(folder, DATABASE_URL=url, DATABASE_CONNECTIONS="8")
        # In a thread: the wire is served here.
        yield await asyncio.to_thread(stack.enter_context, service)


async def test_orders_that_were_stored_together_and_told_nobody_are_found_and_charged_once(
    tmp_path: Path, postgres_url: str
) -> None:
    async def a_company_is_stored() -> bool:
        [(largest,)] = await run_sql(postgres_url, _LARGEST_TRANSACTION)
        return int(largest) > 1

    async with (
        holding(postgres_url, _KETTLE, answers=True) as (url, _),
        _service(tmp_path, url) as service,
    ):
        await _place_all_and_die(service, _wait_for("a company is stored", a_company_is_stored))
        assert books_of(service) == ()

        await _start_again(service, postgres_url)

        await _see_that_each_gets_one_order(service, postgres_url)


async def test_orders_that_would_have_been_stored_together_are_placed_once_when_asked_for_again(
    tmp_path: Path, postgres_url: str
) -> None:
    async with (
        holding(postgres_url, _KETTLE, answers=False) as (url, holds),
        _service(tmp_path, url) as service,
    ):

        async def a_company_is_on_its_way() -> bool:
            return max(holds.held, default=0) > 1

        await _place_all_and_die(service, _wait_for("a company is sent", a_company_is_on_its_way))
        assert await run_sql(postgres_url, "SELECT id FROM orders") == []

        await _start_again(service, postgres_url)

        await _see_that_each_gets_one_order(service, postgres_url)
