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

from order_core.money import Money
from order_core.outcomes import Succeeded
from order_core.payment import TransactionKind
from order_core.ports import (
    DuplicateGuard,
    EventRecord,
    OrderQuery,
    ProviderFact,
    ReceivedEvent,
    RequestRecord,
)
from order_memory.contracts.views import VIEW
from order_sqlalchemy import Database, SqlOrders, SqlOutbox, SqlWorkQueue
from order_sqlalchemy.database import with_driver
from order_sqlalchemy.mapping import moment_us
from order_sqlalchemy.schema import metadata
from order_sqlalchemy.statements import Statements
from tests.integration.sqlalchemy_orders import NOON, a_lease, an_order, opened, paid, run_sql
from tests.integration.sqlalchemy_wire import counted

Call = Callable[[], Awaitable[Any]]
_ACCOUNT = ("stripe", "acct_1/test")
_RECORD = EventRecord(*_ACCOUNT, "default")


def _unmatched(event_id: str) -> ReceivedEvent:
    refund = ProviderFact(
        TransactionKind.REFUND,
        Succeeded("re_1", Money(100, "EUR"), ""),
        "re_1",
        parent_reference="pi-1",
    )
    return ReceivedEvent(
        "stripe", event_id, "charge.refunded", NOON, "unknown_transaction", facts=(refund,)
    )


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

    for number in range(size):
        await orders.receive(_unmatched(f"evt_{number}"))
    new_ids = iter(["evt_new_1", "evt_new_2"])

    async def receive() -> None:
        assert await orders.receive(_unmatched(next(new_ids)))

    async def claim() -> None:
        await work.claim(limit=size, hold=timedelta(0), tokens=tuple(f"w-{n}" for n in range(size)))

    return {
        "add": add,
        "change": change,
        "get": lambda: orders.get(first.id),
        "find": lambda: orders.find_request("c-9", "POST /x", "k-1"),
        "find by transaction": lambda: orders.find_by_transaction(first.charge.id),
        "find by reference": lambda: orders.find_by_reference(*_ACCOUNT, f"pi-{first.id}"),
        "unfinished": lambda: orders.unfinished(limit=size),
        "receive": receive,
        "receive again": lambda: orders.receive(_unmatched("evt_0")),
        "remembered": lambda: orders.remembered("scripted", [f"evt_{n}" for n in range(size)]),
        "unmatched": lambda: orders.unmatched_events(limit=size),
        "to match": lambda: orders.events_to_match(after=(NOON, "", ""), limit=size),
        "match": lambda: orders.match(_unmatched("evt_0")),
        "taken in": lambda: orders.taken_in(_RECORD),
        "begin taken in": lambda: orders.note_taken_in(_RECORD, until=NOON, before=None),
        "move taken in": lambda: orders.note_taken_in(_RECORD, until=NOON, before=NOON),
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
        connections = database.store.connections  # type: ignore[attr-defined]
        pooled = await connections.take()
        pooled.driver_connection.add_query_logger(lambda query: seen.append(query.query))
        connections.give_back(pooled)
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


def _read_whole(plan: Any) -> set[str]:
    if isinstance(plan, list):
        return set().union(*map(_read_whole, plan))
    if not isinstance(plan, dict):
        return set()
    found = {plan["Relation Name"]} if plan.get("Node Type") == "Seq Scan" else set()
    return found.union(*map(_read_whole, plan.values()))


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
    engine = create_async_engine(with_driver(postgres_url))
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        whole = await _plans(driver, *statements.page(query))
        shown = await _plans(driver, *statements.view_page(query, "e"))
    await engine.dispose()

    for plan in whole:
        assert _used_indexes(plan) == {index, "pk_payment_transactions"}
        assert '"Sort"' not in json.dumps(plan).replace("Sort Key", "").partition("SubPlan")[0]
    for plan in shown:
        # What is shown is read from the order's own row.
        assert _used_indexes(plan) == {index}
        assert '"Sort"' not in json.dumps(plan)


async def _plans(driver: Any, statement: str, arguments: list[Any]) -> list[Any]:
    """The plan for these arguments, and the one that is kept for all."""
    await driver.execute(f"PREPARE page AS {statement}")
    written = ", ".join(f"'{each}'" for each in arguments)
    plans = []
    for mode in ("force_custom_plan", "force_generic_plan"):
        await driver.execute(f"SET plan_cache_mode = {mode}")
        plan = await driver.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE page({written})")
        plans.append(json.loads(plan) if isinstance(plan, str) else plan)
    await driver.execute("DEALLOCATE page")
    return plans


async def test_a_page_is_not_planned_anew_each_time(postgres_url: str) -> None:
    async with opened(postgres_url, pool_size=1) as database:
        orders = SqlOrders(database, view=VIEW)
        for _ in range(4):
            await orders.save(an_order())
        for number in range(20):
            await orders.list(OrderQuery("c-9", limit=2))
            await orders.show_list(OrderQuery("c-9", limit=2, before=(NOON, f"{number}")), VIEW)
        planned = await database.store.rows(
            "SELECT custom_plans FROM pg_prepared_statements WHERE statement LIKE $1", "%LIMIT 3%"
        )

    # Five times PostgreSQL looks whether knowing the arguments makes a better plan.
    assert [row[0] for row in planned] == [5, 5]


# Looking for an order among many -----------------------------------------------------------

_THOUSANDS = 4000
_LOOK_UPS = [
    ("view", ["many-77", "edition"], {"pk_orders"}),
    ("by_transaction", ["t-77"], {"uq_payment_transactions_id"}),
    ("by_reference", [*_ACCOUNT, "pi-77"], {"ix_payment_transactions_by_reference"}),
    ("unfinished", [10], {"ix_payment_transactions_unfinished"}),
    ("unmatched", [10], {"ix_received_events_unmatched"}),
    ("to_match", [moment_us(NOON), "", "", 10], {"ix_received_events_to_match"}),
    ("figures", [], {"ix_payment_transactions_unfinished"}),
]


async def _fill(url: str) -> None:
    """Many settled orders and understood events; few that wait for somebody."""
    async with opened(url) as database:
        orders = SqlOrders(database)
        await orders.save(an_order(id="t-open"))
        await orders.save(paid(an_order(id="t-0")))
        await orders.receive(_unmatched("evt_0"))
    numbers = (
        f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {_THOUSANDS})"
    )
    await run_sql(
        url,
        _many(
            "orders",
            numbers,
            "id <> (SELECT order_id FROM payment_transactions WHERE id = 't-open')",
            id="'many-' || n",
        ),
        _many(
            "payment_transactions",
            numbers,
            "id = 't-0'",
            id="'t-' || n",
            order_id="'many-' || n",
            provider_reference="'pi-' || n",
        ),
        _many(
            "received_events",
            numbers,
            "event_id = 'evt_0'",
            event_id="'many-' || n",
            verdict="'settled'",
        ),
        "ANALYZE",
    )


def _many(table: str, numbers: str, like: str, **but: str) -> str:
    """The row that is `like` this, once for each number."""
    columns = metadata.tables[table].c
    values = ", ".join(but.get(column.name, column.name) for column in columns)
    names = ", ".join(column.name for column in columns)
    return f"INSERT INTO {table} ({names}) {numbers} SELECT {values} FROM c, {table} WHERE {like}"


@pytest.mark.parametrize(("name", "arguments", "indexes"), _LOOK_UPS)
async def test_what_is_looked_for_comes_straight_from_its_index_on_postgresql(
    postgres_url: str, name: str, arguments: list[object], indexes: set[str]
) -> None:
    await _fill(postgres_url)
    async with opened(postgres_url) as database:
        statement = getattr(database.store.statements, name)
        found = await database.store.rows(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)

    plan = json.loads(found[0][0])
    assert indexes <= _used_indexes(plan)
    assert _read_whole(plan).isdisjoint({"orders", "payment_transactions", "received_events"})


@pytest.mark.parametrize(("name", "arguments", "indexes"), _LOOK_UPS)
async def test_what_is_looked_for_comes_straight_from_its_index_on_sqlite(
    tmp_path: Path, name: str, arguments: list[object], indexes: set[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'orders.db'}"
    await _fill(url)
    async with opened(url) as database:
        statement = getattr(database.store.statements, name)
        found = await database.store.rows(f"EXPLAIN QUERY PLAN {statement}", *arguments)

    plan = " / ".join(str(row[3]) for row in found)
    # SQLite calls the index of a constraint by a name of its own.
    named = {
        "uq_payment_transactions_id": "sqlite_autoindex_payment_transactions_2",
        "pk_orders": "sqlite_autoindex_orders_1",
    }
    assert all(named.get(index, index) in plan for index in indexes), plan
    read_whole = {f"SCAN {table}" for table in (*metadata.tables, "o", "t")}
    assert read_whole.isdisjoint(str(row[3]) for row in found), plan
