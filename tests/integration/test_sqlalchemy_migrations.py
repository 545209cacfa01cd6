"""A database with orders in it survives each step of the schema, and ends like a new one."""

# ruff: noqa: S608 - the statements of a test are its data

import asyncio
import re
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, NullPool, create_engine, insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from order_core.errors import StoreUnavailable
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import Origin, TransactionKind, TransactionStatus
from order_core.ports import ReceivedEvent
from order_sqlalchemy import SqlOrders, needs_upgrade, upgrade
from order_sqlalchemy.database import with_driver
from order_sqlalchemy.mapping import event_row, moment_us, order_row, transaction_row
from order_sqlalchemy.revision import NEWEST
from order_sqlalchemy.schema import metadata
from order_sqlalchemy.upgrade import current
from tests.integration.sqlalchemy_orders import NOON, a_charge, an_order, opened, paid, run_sql

pytest_plugins = ["tests.integration.sqlalchemy_database"]


def _old_orders() -> tuple[Order, ...]:
    """One that is paid, one that is being refunded, one that failed, and one that is open."""
    placed = paid(an_order(items=2), "pi_placed")
    cancelled = paid(an_order(single_use_fingerprint="f-1"), "pi_cancelled")
    refund = replace(
        cancelled.charge,
        id=f"{cancelled.charge.id}-back",
        kind=TransactionKind.REFUND,
        status=TransactionStatus.UNKNOWN,
        single_use_fingerprint=None,
        provider_reference="re_1",
        parent_id=cancelled.charge.id,
        parent_reference="pi_cancelled",
        recorded_at=NOON + timedelta(hours=1),
        attend_at=NOON + timedelta(hours=2),
    )
    refunding = cancelled.with_transaction(refund).moved_to(OrderStatus.CANCELLED)
    asked = an_order()
    dead = asked.charge.finished(TransactionStatus.DECLINED, reference="pi_dead", reason="no")
    failed = asked.with_transaction(dead).moved_to(OrderStatus.PAYMENT_FAILED)
    return placed, refunding, failed, an_order(email=None)


async def _in_database(url: str, work: Any) -> Any:
    engine = create_async_engine(with_driver(url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _write(connection: Connection, orders: tuple[Order, ...]) -> None:
    """As an older program wrote them: into the columns that there are."""
    there = MetaData()
    there.reflect(connection)

    def add(table: str, row: dict[str, Any]) -> None:
        known = {name: value for name, value in row.items() if name in there.tables[table].c}
        connection.execute(insert(there.tables[table]).values(known))

    for order in orders:
        add("orders", {**order_row(order), "version": 1})
        for position, transaction in enumerate(order.transactions):
            add("payment_transactions", transaction_row(position, transaction))
        for happened in order.news:
            add("order_events", event_row(order, happened))


async def _everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("orders", "payment_transactions", "order_events")
    return {table: await run_sql(url, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}


async def _database_of_0001(url: str) -> tuple[Order, ...]:
    """The orders in it, as they are read back."""
    await upgrade(url, to="0001")
    orders = _old_orders()
    await _in_database(url, lambda connection: _write(connection, orders))
    return tuple(replace(order, version=1, news=()) for order in orders)


# The orders that were there -------------------------------------------------------------


async def test_orders_of_the_first_schema_are_kept_to_the_last_value(
    empty_database_url: str,
) -> None:
    orders = await _database_of_0001(empty_database_url)
    before = await _everything(empty_database_url)

    await upgrade(empty_database_url, to="0002")

    assert await _everything(empty_database_url) == before
    assert {name: len(rows) for name, rows in before.items()} == {
        "orders": 4,
        "payment_transactions": 5,
        "order_events": 6,
    }
    async with opened(empty_database_url) as database:
        assert tuple([await SqlOrders(database).get(order.id) for order in orders]) == orders


async def test_orders_of_the_first_schema_are_found_in_the_new_ways(
    empty_database_url: str,
) -> None:
    placed, refunding, failed, untouched = await _database_of_0001(empty_database_url)

    async with opened(empty_database_url) as database:
        orders = SqlOrders(database)
        account = ("stripe", "acct_1/test")
        refund = refunding.transactions[1]

        assert await orders.find_by_transaction(refund.id) == refunding
        assert await orders.find_by_reference(*account, "pi_placed") == placed
        assert await orders.find_by_reference(*account, "pi_dead") == failed
        assert await orders.find_by_reference(*account, "re_1") is None
        assert await orders.unfinished(limit=10) == (untouched, refunding)


async def test_an_order_of_the_first_schema_goes_on(empty_database_url: str) -> None:
    placed, *_ = await _database_of_0001(empty_database_url)
    dispute = a_charge(
        placed.id,
        kind=TransactionKind.REVERSAL,
        origin=Origin.PROVIDER,
        status=TransactionStatus.SUCCEEDED,
        token=None,
        parent_id=placed.charge.id,
    )

    async with opened(empty_database_url) as database:
        orders = SqlOrders(database)
        await orders.save(placed.with_transaction(dispute))
        settled = ReceivedEvent("stripe", "evt_1", "charge.dispute", NOON, "settled", placed.id)

        assert (await orders.get(placed.id)).transactions == (placed.charge, dispute)
        assert [await orders.receive(settled), await orders.receive(settled)] == [True, False]


async def test_a_program_of_the_first_schema_goes_on_while_the_next_is_deployed(
    empty_database_url: str,
) -> None:
    await upgrade(empty_database_url)

    orders = _old_orders()
    await _in_database(empty_database_url, lambda connection: _write(connection, orders))

    async with opened(empty_database_url) as database:
        assert (await SqlOrders(database).get(orders[0].id)).charge == orders[0].charge


# The step itself ------------------------------------------------------------------------


async def test_the_first_schema_needs_the_second(empty_database_url: str) -> None:
    await upgrade(empty_database_url, to="0001")

    before = (await current(empty_database_url), await needs_upgrade(empty_database_url))
    await upgrade(empty_database_url)

    assert before == ("0001", True)
    assert (await current(empty_database_url), await needs_upgrade(empty_database_url)) == (
        NEWEST,
        False,
    )


async def test_the_second_schema_gets_rid_of_secrets_and_has_everything_looked_after(
    empty_database_url: str,
) -> None:
    await upgrade(empty_database_url, to="0002")
    placed, refunding, _, open_order = orders = _old_orders()
    await _in_database(empty_database_url, lambda connection: _write(connection, orders))
    await run_sql(
        empty_database_url,
        "UPDATE payment_transactions SET token = 'pm_old', client_secret = 'secret_old'",
        "UPDATE payment_transactions SET attend_at_us = NULL",
        f"UPDATE orders SET attend_at_us = NULL WHERE id = '{open_order.id}'",
    )

    await upgrade(empty_database_url)

    async with opened(empty_database_url) as database:
        stored = SqlOrders(database)
        settled = (await stored.get(placed.id)).charge
        refund = (await stored.get(refunding.id)).transactions[1]
        waiting = await stored.get(open_order.id)
    assert (settled.token, settled.client_secret, settled.attend_at) == (None, None, None)
    assert (refund.token, refund.attend_at) == ("pm_old", refunding.attend_at)
    assert (waiting.charge.token, waiting.attend_at) == ("pm_old", open_order.created_at)
    assert await run_sql(
        empty_database_url, f"SELECT attend_at_us FROM orders WHERE id = '{open_order.id}'"
    ) == [(moment_us(open_order.created_at),)]


async def test_an_unmatched_event_of_the_third_schema_still_waits_for_a_person(
    empty_database_url: str,
) -> None:
    await upgrade(empty_database_url, to="0003")
    await run_sql(
        empty_database_url,
        "INSERT INTO received_events VALUES "
        f"('stripe', 'evt_old', 'charge.refunded', {moment_us(NOON)}, 'unknown_transaction', NULL)",
    )

    await upgrade(empty_database_url)

    async with opened(empty_database_url) as database:
        orders = SqlOrders(database)
        (event,) = await orders.unmatched_events(limit=10)
        assert (event.event_id, event.received_at, event.facts) == ("evt_old", NOON, ())
        assert await orders.events_to_match(after=(NOON, "", ""), limit=10) == ()


async def test_the_first_schema_knew_no_reversals(empty_database_url: str) -> None:
    await _database_of_0001(empty_database_url)
    reverse = "UPDATE payment_transactions SET kind = 'reversal' WHERE kind = 'refund'"

    with pytest.raises(IntegrityError):
        await run_sql(empty_database_url, reverse)
    await upgrade(empty_database_url)
    await run_sql(empty_database_url, reverse)

    found = await run_sql(
        empty_database_url, "SELECT count(*) FROM payment_transactions WHERE kind = 'reversal'"
    )
    assert found == [(1,)]


async def test_a_step_that_breaks_leaves_the_schema_before_it(
    empty_database_url: str,
) -> None:
    await _database_of_0001(empty_database_url)
    # In the way of the last table that the step makes.
    await run_sql(empty_database_url, "CREATE TABLE received_events (nonsense INTEGER)")
    before = await _everything(empty_database_url)

    with pytest.raises(StoreUnavailable, match="could not be brought up to date"):
        await upgrade(empty_database_url)

    assert await current(empty_database_url) == "0001"
    assert await _everything(empty_database_url) == before
    await run_sql(empty_database_url, "DROP TABLE received_events")
    await upgrade(empty_database_url, to="0002")
    assert await _everything(empty_database_url) == before


# While a service is at work ---------------------------------------------------------------


@pytest.fixture
def busy_url(postgres_url: str) -> str:
    """The address of an empty database of the kind that has many writers."""
    return postgres_url


async def test_nothing_that_reads_a_whole_table_keeps_its_writers_waiting(
    busy_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await upgrade(busy_url, to="0001")
    caplog.set_level("INFO", logger="sqlalchemy.engine")
    await upgrade(busy_url)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("sqlalch")]
    new = set(re.findall(r"CREATE TABLE (\w+)", "\n".join(said)))
    indexes = [s for s in said if re.match(r"CREATE (UNIQUE )?INDEX", s)]
    checks = [s for s in said if "ADD CONSTRAINT" in s]

    assert len(checks) >= 4
    assert all(s.endswith("NOT VALID") for s in checks)
    assert sum("CONCURRENTLY" in s for s in indexes) >= 3
    assert all("CONCURRENTLY" in s or re.search(r" ON (\w+)", s)[1] in new for s in indexes)  # type: ignore[index]
    unproven = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
    unfinished = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
    assert [await run_sql(busy_url, asked) for asked in (unproven, unfinished)] == [[], []]


async def test_an_upgrade_that_waits_for_a_table_lets_the_others_pass(busy_url: str) -> None:
    orders = await _database_of_0001(busy_url)
    await upgrade(busy_url, to="0002")
    engine = create_async_engine(with_driver(busy_url), poolclass=NullPool)
    write = text(f"UPDATE payment_transactions SET attempts = 1 WHERE id = '{orders[0].charge.id}'")
    longest = 0.0
    async with engine.connect() as reader:
        # A report that somebody left open, for longer than anybody should wait.
        await reader.execute(text("SELECT count(*) FROM payment_transactions"))
        upgrading = asyncio.create_task(upgrade(busy_url))
        for _ in range(12):
            began = time.monotonic()
            async with engine.begin() as writer:
                await writer.execute(write)
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.2)
        still_old = not upgrading.done()
        await reader.rollback()
    await upgrading
    await engine.dispose()

    assert still_old
    assert longest < 1.6
    assert await current(busy_url) == NEWEST


async def test_an_upgrade_and_a_save_that_wait_for_each_other_both_succeed(busy_url: str) -> None:
    await upgrade(busy_url, to="0002")
    mended, other, *_ = orders = _old_orders()
    await _in_database(busy_url, lambda connection: _write(connection, orders))
    change = "UPDATE payment_transactions SET {} WHERE id = '{}'"
    await run_sql(
        busy_url,
        "UPDATE payment_transactions SET token = NULL, client_secret = NULL",
        change.format("token = 'pm_old'", mended.charge.id),
        # Somebody's server notices sooner that two wait for each other than we stop to wait.
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 500',"
        " current_database()); END $$",
    )
    kept_waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"
    engine = create_async_engine(with_driver(busy_url), poolclass=NullPool)
    async with engine.connect() as writer:
        await writer.execute(text("SET deadlock_timeout = '10s'"))
        await writer.execute(text(change.format("attempts = 1", other.charge.id)))
        upgrading = asyncio.create_task(upgrade(busy_url))
        for _ in range(500):
            if await run_sql(busy_url, kept_waiting) != [(0,)]:
                break
            await asyncio.sleep(0.02)
        await writer.execute(text(change.format("attempts = 1", mended.charge.id)))
        await writer.commit()
    await upgrading
    await engine.dispose()

    assert await current(busy_url) == NEWEST


async def test_an_index_that_was_left_unfinished_is_built_again(busy_url: str) -> None:
    await upgrade(busy_url, to="0003")
    await run_sql(
        busy_url,
        "ALTER TABLE received_events ADD COLUMN facts json",
        "CREATE INDEX ix_received_events_to_match ON received_events (name)",
    )

    await upgrade(busy_url)

    [[definition]] = await run_sql(
        busy_url,
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_received_events_to_match'",
    )
    assert "received_at_us" in definition


# Old and new databases are alike ----------------------------------------------------------


def _canonical(sql: str) -> list[str]:
    """The parts of a CREATE statement, whatever its spacing, quoting, and order of constraints."""
    columns, *constraints = re.split(
        r" ?, (?=CONSTRAINT )", re.sub(r"\s+", " ", sql.replace('"', "")).removesuffix(")")
    )
    return [columns, *sorted(constraint.strip() for constraint in constraints)]


def _sqlite_catalog(path: Path) -> dict[str, list[str]]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master "
            "WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%' ORDER BY name"
        ).all()
    engine.dispose()
    return {name: _canonical(sql) for name, sql in rows}


async def test_the_steps_make_the_same_tables_constraints_and_indexes_on_sqlite(
    tmp_path: Path,
) -> None:
    stepped, new = tmp_path / "stepped.db", tmp_path / "new.db"
    await upgrade(f"sqlite:///{stepped}", to="0001")
    await upgrade(f"sqlite:///{stepped}")
    engine = create_engine(f"sqlite:///{new}")
    metadata.create_all(engine)
    engine.dispose()

    found = _sqlite_catalog(stepped)

    assert found == _sqlite_catalog(new)
    assert len(found) == 10 + 18
    assert sum("CHECK" in part for parts in found.values() for part in parts) > 15
    assert sum(" WHERE " in part for parts in found.values() for part in parts) == 13


def test_the_newest_revision_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "order_sqlalchemy:migrations")

    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]
