"""A click that something kept waiting is as much a double click as one that came in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from order_core.errors import PossibleDuplicate
from order_core.ports import DuplicateGuard
from order_sqlalchemy import Database, SqlOrders, postgresql_queue
from order_sqlalchemy.postgresql_store import PostgresqlStore
from order_sqlalchemy.sqlite_store import SqliteStore
from tests.integration.sqlalchemy_orders import an_order, are_stored, opened, paid
from tests.integration.sqlalchemy_wire import counted

pytest_plugins = ["tests.integration.sqlalchemy_database"]

_WINDOW = timedelta(seconds=0.3)
_TEA = DuplicateGuard("the same tea", _WINDOW)


async def _double_click_is_placed_and_its_window_ends(database: Database) -> None:
    await asyncio.sleep(0.05)
    double = await SqlOrders(database).save(an_order(), guard=_TEA)
    await SqlOrders(database).save(paid(double.order))
    await asyncio.sleep(_WINDOW.total_seconds() + 0.1)


@asynccontextmanager
async def _all_connections_taken(database: Database) -> AsyncIterator[None]:
    store = database.store
    assert isinstance(store, PostgresqlStore | SqliteStore)
    connections = store.connections if isinstance(store, PostgresqlStore) else store.writer
    taken = await connections.take()
    try:
        yield
    finally:
        connections.give_back(taken)


async def test_it_waited_for_a_connection(database_url: str) -> None:
    async with opened(database_url, pool_size=1) as busy, opened(database_url) as other:
        await SqlOrders(busy).save(an_order())
        order = an_order()
        async with _all_connections_taken(busy):
            late = asyncio.create_task(SqlOrders(busy).save(order, guard=_TEA))
            await _double_click_is_placed_and_its_window_ends(other)
        with pytest.raises(PossibleDuplicate):
            await late

        assert await are_stored(other, order) == [False]


@pytest.mark.parametrize("with_others", [False, True])
@pytest.mark.parametrize("is_first_of_its_process", [False, True])
async def test_the_network_held_it(
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    with_others: bool,
    is_first_of_its_process: bool,
) -> None:
    monkeypatch.setattr(postgresql_queue, "PATIENCE_SECONDS", 60)
    async with (
        counted(postgres_url) as (url, wire),
        opened(url) as far,
        opened(postgres_url) as other,
    ):
        if not is_first_of_its_process:
            await SqlOrders(far).save(an_order())
        # The first of several goes by itself; the others wait for its answer.
        company = [an_order() for _ in range(4 if with_others else 1)]
        wire.hold()
        late = [asyncio.create_task(SqlOrders(far).save(each)) for each in company[:-1]]
        late.append(asyncio.create_task(SqlOrders(far).save(company[-1], guard=_TEA)))
        await _double_click_is_placed_and_its_window_ends(other)
        wire.let_through()
        told = await asyncio.gather(*late, return_exceptions=True)

        assert isinstance(told[-1], PossibleDuplicate)
        assert await are_stored(other, *company) == [True] * (len(company) - 1) + [False]
