"""When the database is gone, slow or full: nothing hangs, and no doubt is called a failure."""

import asyncio
import sqlite3
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from order_core.errors import CommitUnknown, OrderNotFound, StoreUnavailable
from order_core.ports import OrderQuery
from order_sqlalchemy import (
    Database,
    SqlOrders,
    SqlOutbox,
    SqlWorkQueue,
    open_database,
    postgresql_store,
)
from order_sqlalchemy.store import Timeouts
from tests.integration.locked_order import LockedOrder
from tests.integration.postgres import PostgresServer
from tests.integration.sqlalchemy_orders import an_order, are_stored, opened, paid
from tests.integration.sqlalchemy_wire import counted

pytest_plugins = ["tests.integration.sqlalchemy_database"]

_HALF_A_SECOND = 0.5


async def test_a_connection_that_breaks_while_it_is_opened_is_no_answer_and_no_crash() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        # No encryption here. The next thing to come is the user's name.
        writer.write(b"N")
        await reader.readexactly(8)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        database = open_database(f"postgresql://postgres@127.0.0.1:{port}/shop", pool_size=2)
        # More often than there are connections: none of them is lost.
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="There is no connection"):
                await database.ping()
        await database.close()


async def test_a_killed_and_restarted_server_is_used_again(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with opened(postgres_url, pool_size=4) as database:
        orders = SqlOrders(database)
        saved = (await orders.save(an_order())).order
        await asyncio.gather(*(orders.get(saved.id) for _ in range(8)))

        postgres_server.kill()
        try:
            with pytest.raises(StoreUnavailable):
                await orders.get(saved.id)
            with pytest.raises(StoreUnavailable):
                await orders.save(an_order())
        finally:
            # Not in another thread: the server ends with the thread that started it.
            postgres_server.start()

        assert await asyncio.gather(*(orders.get(saved.id) for _ in range(8))) == [saved] * 8
        assert (await orders.save(paid(saved))).order.version == 2


async def test_a_server_stopped_and_started_between_two_calls_goes_unnoticed(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with opened(postgres_url, pool_size=4) as database:
        orders = SqlOrders(database)
        saved = (await orders.save(an_order())).order
        await asyncio.gather(*(orders.get(saved.id) for _ in range(8)))

        postgres_server.restart()
        await asyncio.sleep(0.05)  # This loop was blocked and has not heard of it yet.

        assert (await orders.save(paid(saved))).order.version == 2


async def test_a_save_that_waits_too_long_for_a_lock_stored_nothing(postgres_url: str) -> None:
    async with opened(postgres_url, pool_size=1, statement=_HALF_A_SECOND) as database:
        orders = SqlOrders(database)
        saved = (await orders.save(an_order())).order

        async with LockedOrder(postgres_url, saved.id):
            with pytest.raises(StoreUnavailable, match="stored nothing"):
                await orders.save(paid(saved))

        assert await orders.get(saved.id) == saved


async def test_a_server_that_falls_silent_leaves_the_save_unknown(postgres_url: str) -> None:
    async with (
        counted(postgres_url) as (url, trips),
        opened(url, pool_size=1, statement=_HALF_A_SECOND) as database,
    ):
        orders = SqlOrders(database)
        saved = (await orders.save(an_order())).order
        await orders.save(paid(saved))
        unheard = an_order()

        trips.silence()
        started = time.monotonic()
        with pytest.raises(CommitUnknown):
            await orders.save(unheard)
        assert time.monotonic() - started < 5
        trips.speak()

        # The connection with the late answer on it is not used for the next question.
        assert (await orders.get(saved.id)).version == 2
        assert (await orders.get(unheard.id)).version == 1


async def test_a_connection_cut_in_the_middle_of_a_save_leaves_it_unknown(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with opened(postgres_url, pool_size=1) as database:
        orders = SqlOrders(database)
        saved = (await orders.save(an_order())).order

        async with LockedOrder(postgres_url, saved.id):
            waiting = asyncio.create_task(orders.save(paid(saved)))
            await asyncio.sleep(0.3)
            await asyncio.to_thread(
                postgres_server.execute,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'order-core' AND wait_event_type = 'Lock'",
            )
            with pytest.raises(CommitUnknown):
                await waiting

        assert await orders.get(saved.id) == saved


@pytest.mark.parametrize("state", ["40003", "08006"])
async def test_an_error_that_leaves_the_commit_unknown_is_told_so_and_nobody_is_sent_again(
    postgres_url: str, state: str
) -> None:
    async with opened(postgres_url) as database:
        await _fail_on_orders_of(database, "c-9", state)
        told = await asyncio.gather(
            *(SqlOrders(database).save(an_order()) for _ in range(5)), return_exceptions=True
        )

        assert [type(each) for each in told] == [CommitUnknown] * 5


@pytest.mark.parametrize("state", ["58030", "XX001"])
async def test_an_error_of_the_server_itself_refuses_only_the_order_that_it_is_about(
    postgres_url: str, state: str
) -> None:
    """A broken page of an index, say: the server takes the statement back."""
    async with opened(postgres_url) as database:
        await _fail_on_orders_of(database, "sick", state)
        new = [an_order(customer_id="sick" if n == 3 else "c-9") for n in range(5)]
        told = await asyncio.gather(
            *(SqlOrders(database).save(order) for order in new), return_exceptions=True
        )

        assert isinstance(told[3], StoreUnavailable)
        assert await are_stored(database, *new) == [True, True, True, False, True]


async def _fail_on_orders_of(database: Database, customer_id: str, state: str) -> None:
    await database.store.change(f"""
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
            IF NEW.customer_id = ''{customer_id}'' THEN
                RAISE EXCEPTION USING ERRCODE = ''{state}'';
            END IF;
            RETURN NEW;
        END'""")
    await database.store.change(
        "CREATE TRIGGER fail BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION fail()"
    )


@pytest.mark.parametrize(
    ("told", "is_certain"),
    [
        # The server says where in its program an error arose; a proxy that lost it cannot.
        ({"C": "58000", "V": "ERROR"}, False),
        ({"C": "XX000", "V": "ERROR"}, False),
        ({"C": "XX000", "V": "ERROR", "F": "nbtpage.c"}, True),
        # Pgpool has places of its own, and says only how grave it is in the server's language.
        ({"C": "XX000", "S": "ERROR", "F": "pool_stream.c"}, False),
        ({"C": "23505", "V": "ERROR"}, True),
        ({"C": "23505", "V": "FATAL"}, False),
        ({"C": "53100", "V": "PANIC", "F": "xlog.c"}, False),
    ],
)
def test_only_what_the_server_says_of_the_statement_proves_that_nothing_is_stored(
    told: dict[str, str], is_certain: bool
) -> None:
    error = asyncpg.PostgresError.new({"M": "said", **told})

    assert postgresql_store._stored_nothing(error) is is_certain  # noqa: SLF001 - no proxy here says so


async def test_a_cancelled_save_leaves_a_good_connection_behind(postgres_url: str) -> None:
    async with opened(postgres_url, pool_size=1) as database:
        orders = SqlOrders(database)
        saved = (await orders.save(an_order())).order

        async with LockedOrder(postgres_url, saved.id):
            waiting = asyncio.create_task(orders.save(paid(saved)))
            await asyncio.sleep(0.2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert await orders.get(saved.id) == saved


async def test_an_exhausted_pool_is_told_in_time(postgres_url: str) -> None:
    async with opened(postgres_url, pool_size=1, pool=0.2) as database:
        orders = SqlOrders(database)
        saved = (await orders.save(an_order())).order
        async with LockedOrder(postgres_url, saved.id):
            waiting = asyncio.create_task(orders.save(paid(saved)))
            await asyncio.sleep(0.1)

            with pytest.raises(StoreUnavailable, match="No connection was free"):
                await orders.get(saved.id)
        assert (await waiting).order.version == 2


async def test_a_database_that_is_not_there_is_told_by_every_call() -> None:
    database = open_database(
        "postgresql://nobody@127.0.0.1:1/nothing", timeouts=Timeouts(connect=1)
    )
    await _expect_unavailable(database)


async def test_a_folder_that_is_not_there_is_told_by_every_call(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    await _expect_unavailable(open_database(f"sqlite:///{tmp_path / 'nowhere' / 'orders.db'}"))

    # aiosqlite does not wait for the thread of a connection that could not be opened; one that
    # ends after the event loop fails in whatever test comes next.
    for thread in set(threading.enumerate()) - before:
        await asyncio.to_thread(thread.join, 10)


async def test_a_database_without_tables_is_told_by_every_call(empty_database_url: str) -> None:
    await _expect_unavailable(open_database(empty_database_url), even_ping=False)


async def _expect_unavailable(database: Database, *, even_ping: bool = True) -> None:
    orders, work, outbox = SqlOrders(database), SqlWorkQueue(database), SqlOutbox(database)
    order = an_order()
    calls: list[Any] = [
        lambda: orders.save(order),
        lambda: orders.get(order.id),
        lambda: orders.find_request("c-9", "POST /x", "k"),
        lambda: orders.list(OrderQuery("c-9")),
        lambda: orders.history(order.id),
        lambda: work.claim(limit=1, hold=timedelta(1), tokens=("w",)),
        lambda: outbox.claim_notices(limit=1, hold=timedelta(1)),
        database.figures,
    ]
    if even_ping:
        calls.append(database.ping)
    try:
        for call in calls:
            with pytest.raises(StoreUnavailable):
                await call()
    finally:
        await database.close()


# SQLite ---------------------------------------------------------------------------------


async def test_a_locked_file_is_told_in_time_and_stores_nothing(tmp_path: Path) -> None:
    file = tmp_path / "orders.db"
    async with opened(f"sqlite:///{file}", statement=_HALF_A_SECOND) as database:
        orders = SqlOrders(database)
        saved = (await orders.save(an_order())).order
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(StoreUnavailable):
                await orders.save(paid(saved))
            assert await orders.get(saved.id) == saved
        finally:
            other.execute("ROLLBACK")
            other.close()
        assert (await orders.save(paid(saved))).order.version == 2


async def test_a_full_disk_stores_nothing(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path / 'orders.db'}") as database:
        orders = SqlOrders(database)
        [(pages,)] = await database.store.rows("PRAGMA page_count")
        writer = await database.store.writer.engine.raw_connection()  # type: ignore[attr-defined]
        await writer.driver_connection.execute(f"PRAGMA max_page_count = {pages}")
        writer.close()
        full = an_order(items=1000)

        with pytest.raises(StoreUnavailable, match="full"):
            await orders.save(full)
        with pytest.raises(OrderNotFound):
            await orders.get(full.id)
        assert await orders.list(OrderQuery(None)) is not None


async def test_a_cancelled_save_on_sqlite_leaves_a_good_connection_behind(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path / 'orders.db'}") as database:
        orders = SqlOrders(database)
        for _ in range(20):
            waiting = asyncio.create_task(orders.save(an_order()))
            await asyncio.sleep(0.001)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        kept = (await orders.save(an_order())).order

        assert await orders.get(kept.id) == kept
