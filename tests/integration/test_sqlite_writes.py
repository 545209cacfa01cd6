"""Saves that wait together commit together, and each hears what became of its own."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from order_core.errors import (
    CommitUnknown,
    ConcurrentUpdate,
    IdempotencyKeyReused,
    StoreUnavailable,
)
from order_core.ports import OrderQuery, RequestRecord
from order_sqlalchemy import Database, SqlOrders, sqlite_transaction
from order_sqlalchemy.sqlite_store import SqliteStore
from order_sqlalchemy.sqlite_writes import MOST_TOGETHER
from tests.integration.sqlalchemy_orders import an_order, are_stored, opened, paid

_CLIENTS = 64


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(f"sqlite:///{tmp_path / 'orders.db'}") as database:
        yield database


def _store(database: Database) -> SqliteStore:
    assert isinstance(database.store, SqliteStore)
    return database.store


class Occupied:
    """The one that writes, kept at work until it is let go."""

    def __init__(self, database: Database) -> None:
        self._begun, self._may_end = threading.Event(), threading.Event()
        self._work = asyncio.create_task(_store(database)._writes.run(self._wait))  # noqa: SLF001

    def _wait(self, _connection: sqlite3.Connection) -> None:
        self._begun.set()
        assert self._may_end.wait(20)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.wait, 20)

    async def let_go(self) -> None:
        self._may_end.set()
        await self._work


async def _commits(database: Database) -> list[str]:
    """Every COMMIT of the writer from now on."""
    seen: list[str] = []
    connections = _store(database).writer
    pooled = await connections.take()
    raw: Any = pooled.driver_connection
    await raw.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    connections.give_back(pooled)
    return seen


async def test_saves_that_wait_together_wait_for_the_disk_once(database: Database) -> None:
    orders, new = SqlOrders(database), [an_order() for _ in range(MOST_TOGETHER)]
    commits = await _commits(database)
    occupied = Occupied(database)
    await occupied.begun()

    saving = [asyncio.create_task(orders.save(order)) for order in new]
    await asyncio.sleep(0)
    await occupied.let_go()
    await asyncio.gather(*saving)

    assert len(commits) == 2, "one of whoever was at work, one of all the others"
    assert all(await are_stored(database, *new))


async def test_one_that_is_refused_takes_nobody_with_it(database: Database) -> None:
    orders = SqlOrders(database)
    known = (await orders.save(an_order())).order
    await orders.save(paid(known))
    key = RequestRecord("c-9", "POST /x", "k-1", "body")
    first, second, third = an_order(), an_order(), an_order()
    occupied = Occupied(database)
    await occupied.begun()

    saving = asyncio.gather(
        orders.save(first, request=key),
        orders.save(second, request=key),
        orders.save(paid(known)),
        orders.save(third),
        return_exceptions=True,
    )
    await asyncio.sleep(0)
    await occupied.let_go()
    saved, reused, raced, last = await saving

    assert not isinstance(saved, BaseException)
    assert isinstance(reused, IdempotencyKeyReused)
    assert isinstance(raced, ConcurrentUpdate)
    assert not isinstance(last, BaseException)
    assert await are_stored(database, first, second, third) == [True, False, True]


async def test_if_the_common_commit_fails_nobody_is_told_that_he_is_stored(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders, new = SqlOrders(database), [an_order() for _ in range(3)]
    real = sqlite_transaction.in_transaction

    def failing(connection: sqlite3.Connection, work: Any) -> Any:
        real(connection, work)
        raise sqlite_transaction.CommitFailed("disk I/O error")

    occupied = Occupied(database)
    await occupied.begun()
    monkeypatch.setattr("order_sqlalchemy.sqlite_writes.in_transaction", failing)
    saving = asyncio.gather(*(orders.save(order) for order in new), return_exceptions=True)
    await asyncio.sleep(0)
    await occupied.let_go()

    assert [type(each) for each in await saving] == [CommitUnknown] * 3


async def test_what_fails_as_a_whole_stores_nothing_of_anybody(database: Database) -> None:
    orders = SqlOrders(database)
    [(pages,)] = await database.store.rows("PRAGMA page_count")
    writer = await _store(database).writer.take()
    raw: Any = writer.driver_connection
    await raw.execute(f"PRAGMA max_page_count = {pages}")
    _store(database).writer.give_back(writer)
    small, large = an_order(), an_order(items=1000)
    occupied = Occupied(database)
    await occupied.begun()

    saving = asyncio.gather(orders.save(small), orders.save(large), return_exceptions=True)
    await asyncio.sleep(0)
    await occupied.let_go()
    told = await saving

    stored = await are_stored(database, small, large)
    for answer, is_stored in zip(told, stored, strict=True):
        assert isinstance(answer, StoreUnavailable) is not is_stored
    assert not stored[1]


async def test_who_goes_away_before_his_turn_is_not_stored_later(database: Database) -> None:
    orders, gone, stays = SqlOrders(database), an_order(), an_order()
    occupied = Occupied(database)
    await occupied.begun()
    leaving = asyncio.create_task(orders.save(gone))
    staying = asyncio.create_task(orders.save(stays))
    await asyncio.sleep(0)

    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await occupied.let_go()
    await staying

    assert await are_stored(database, gone, stays) == [False, True]


async def test_who_waits_too_long_for_his_turn_is_told_that_nothing_is_stored(
    tmp_path: Path,
) -> None:
    async with opened(f"sqlite:///{tmp_path / 'orders.db'}", pool=0.1) as database:
        late = an_order()
        occupied = Occupied(database)
        await occupied.begun()

        with pytest.raises(StoreUnavailable, match="No connection was free"):
            await SqlOrders(database).save(late)
        await occupied.let_go()
        # The queue is empty again, and what was given up did not come after all.
        await SqlOrders(database).save(an_order())

        assert await are_stored(database, late) == [False]


async def test_many_who_write_and_read_at_once_are_all_served(database: Database) -> None:
    orders = SqlOrders(database)

    async def customer(number: int) -> None:
        name = f"c-{number}"
        for _ in range(3):
            order = (await orders.save(an_order(customer_id=name))).order
            await orders.save(paid(order))
            assert (await orders.list(OrderQuery(name))).orders

    await asyncio.gather(*(customer(number) for number in range(_CLIENTS)))

    [(count,)] = await database.store.rows("SELECT count(*) FROM orders")
    assert count == 3 * _CLIENTS
