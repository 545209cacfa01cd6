"""One statement and one round trip on PostgreSQL, one thread hop on SQLite, at any size."""

# ruff: noqa: S608 - the statements of a test are its data

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from order_core.ports import DuplicateGuard, OrderQuery, RequestRecord
from order_sqlalchemy import Database, SqlOrders, SqlOutbox, SqlWorkQueue
from order_sqlalchemy.database import with_driver
from order_sqlalchemy.mapping import moment_us
from order_sqlalchemy.statements import Statements
from tests.integration.sqlalchemy_orders import NOON, a_lease, an_order, opened, paid, run_sql
from tests.integration.sqlalchemy_wire import counted

Call = Callable[[], Awaitable[Any]]


async def _calls(database: Database, size: int) -> dict[str, Call]:
    """Every call of the ports, on orders of `size` items and pages of `size` orders."""
    orders, work, outbox = SqlOrders(database), SqlWorkQueue(database), SqlOutbox(database)
    stored = [(await orders.save(an_order(items=size))).order for _ in range(size + 3)]
    first, second, third, *rest = stored
    await orders.save(paid(first), request=RequestRecord("c-9", "POST /x", "k-1", "b"))
    for order in rest:
        await orders.save(paid(order))

    async def add() -> None:
        new = an_order(items=size, email=f"{size}@example.org")
        await orders.save(
            new,
            request=RequestRecord("c-9", "POST /x", new.id, "b"),
            guard=DuplicateGuard(new.id, timedelta(seconds=10)),
            take=a_lease(new, "mine"),
        )

    changing = [second, third]

    async def change() -> None:
        order = changing.pop()
        await orders.save(paid(order), release=a_lease(order, "mine"))

    async def tell() -> None:
        assert await outbox.claim_notices(limit=size, hold=timedelta(0))

    async def claim() -> None:
        await work.claim(limit=size, hold=timedelta(0), tokens=tuple(f"w-{n}" for n in range(size)))

    return {
        "add": add,
        "change": change,
        "get": lambda: orders.get(first.id),
        "find": lambda: orders.find_request("c-9", "POST /x", "k-1"),
        "history": lambda: orders.history(first.id),
        "list": lambda: orders.list(OrderQuery("c-9", limit=size)),
        "claim": claim,
        "tell": tell,
        "ping": database.ping,
        "figures": database.figures,
    }


@pytest.mark.parametrize("size", [1, 100])
async def test_each_call_is_one_round_trip_on_postgresql(postgres_url: str, size: int) -> None:
    async with counted(postgres_url) as (url, trips), opened(url, pool_size=1) as database:
        calls = await _calls(database, size)
        needed = {}
        for name, call in calls.items():
            # Once to let the driver prepare the statement, which it does once a connection.
            await call()
            before = trips.count
            await call()
            needed[name] = trips.count - before

    assert needed == dict.fromkeys(calls, 1)


@pytest.mark.parametrize("size", [1, 100])
async def test_each_call_is_one_statement_on_postgresql(postgres_url: str, size: int) -> None:
    seen: list[str] = []
    async with opened(postgres_url, pool_size=1) as database:
        calls = await _calls(database, size)
        pooled = await database.store.engine.raw_connection()  # type: ignore[attr-defined]
        pooled.driver_connection.add_query_logger(lambda query: seen.append(query.query))
        pooled.close()
        for name, call in calls.items():
            seen.clear()
            await call()
            await asyncio.sleep(0)  # The driver tells its loggers a moment later.
            assert len(seen) == 1, name


@pytest.mark.parametrize("size", [1, 100])
async def test_each_call_is_one_thread_hop_on_sqlite(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hops = []
    execute = aiosqlite.Connection._execute  # noqa: SLF001 - this is where a hop begins

    async def counting(self: aiosqlite.Connection, work: Any, *args: Any, **named: Any) -> Any:
        hops.append(work)
        return await execute(self, work, *args, **named)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counting)
    async with opened(f"sqlite:///{tmp_path / 'orders.db'}") as database:
        calls = await _calls(database, size)
        needed = {}
        for name, call in calls.items():
            await call()
            before = len(hops)
            await call()
            needed[name] = len(hops) - before

    assert needed == dict.fromkeys(calls, 1)


def _used_indexes(plan: Any) -> set[str]:
    if isinstance(plan, list):
        return set().union(*map(_used_indexes, plan))
    if not isinstance(plan, dict):
        return set()
    found = {plan["Index Name"]} if "Index Name" in plan else set()
    return found.union(*map(_used_indexes, plan.values()))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (OrderQuery("c-1"), "ix_orders_placed_of_customer"),
        (OrderQuery("c-1", before=(NOON, "o-7")), "ix_orders_placed_of_customer"),
        (
            OrderQuery("c-1", created_after=NOON - timedelta(days=1)),
            "ix_orders_placed_of_customer",
        ),
        (OrderQuery(None, before=(NOON, "o-7")), "ix_orders_newest"),
    ],
)
async def test_a_page_comes_straight_from_its_index(
    postgres_url: str, query: OrderQuery, index: str
) -> None:
    async with opened(postgres_url) as database:
        statements: Statements = database.store.statements
    await run_sql(
        postgres_url,
        f"""INSERT INTO orders SELECT 'o-' || n, 'c-' || n % 200, 'pending', 'EUR', 100, '[]', '""',
            NULL, {moment_us(NOON)} - n * 1000000::bigint, 1, 0, 100, 0, 0
            FROM generate_series(1, 40000) AS n""",
        "ANALYZE orders",
    )
    statement, arguments = statements.page(query)
    engine = create_async_engine(with_driver(postgres_url))
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        plan = await driver.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
    await engine.dispose()

    plan = json.loads(plan) if isinstance(plan, str) else plan
    assert _used_indexes(plan) == {index, "pk_payment_transactions"}
    assert '"Sort"' not in json.dumps(plan).replace("Sort Key", "").partition("SubPlan")[0]
