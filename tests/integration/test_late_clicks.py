"""A click that something kept waiting is as much a double click as one that came in time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from order_core.errors import PossibleDuplicate, StoreUnavailable
from order_core.ports import DuplicateGuard
from order_sqlalchemy import Database, SqlOrders, postgresql_clock, postgresql_queue, sqlite_store
from order_sqlalchemy.postgresql_clock import ServerClock
from order_sqlalchemy.postgresql_store import PostgresqlStore
from order_sqlalchemy.sqlite_store import SqliteStore
from tests.integration.sqlalchemy_orders import an_order, are_stored, opened, paid
from tests.integration.sqlalchemy_wire import counted

pytest_plugins = ["tests.integration.sqlalchemy_database"]

_WINDOW = timedelta(seconds=0.3)
_TEA = DuplicateGuard("the same tea", _WINDOW)
_HOUR_US = 3_600_000_000


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


async def _placed_long_ago(database: Database) -> None:
    double = await SqlOrders(database).save(an_order(), guard=_TEA)
    await SqlOrders(database).save(paid(double.order))
    await asyncio.sleep(_WINDOW.total_seconds() + 0.1)


def _clock_of(database: Database) -> ServerClock:
    assert isinstance(database.store, PostgresqlStore)
    return database.store._clock  # noqa: SLF001 - nobody sets the clock of a server for a test


async def test_a_server_whose_clock_was_set_back_still_sees_a_double_click(
    postgres_url: str,
) -> None:
    async with opened(postgres_url) as database:
        double = await SqlOrders(database).save(an_order(), guard=_TEA)
        await SqlOrders(database).save(paid(double.order))
        clock = _clock_of(database)
        clock.heard(_server_us(clock) + _HOUR_US)

        with pytest.raises(PossibleDuplicate):
            await SqlOrders(database).save(an_order(), guard=_TEA)


async def test_a_server_whose_clock_was_set_forward_refuses_wrongly_only_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_clock, "_JUST_NOW_US", 0)
    async with opened(postgres_url) as database:
        await _placed_long_ago(database)
        clock = _clock_of(database)
        clock.heard(_server_us(clock) - _HOUR_US)

        with pytest.raises(PossibleDuplicate):
            await SqlOrders(database).save(an_order(), guard=_TEA)
        await SqlOrders(database).save(an_order(), guard=_TEA)


async def test_what_is_refused_stays_refused_though_our_own_clock_stood_still_meanwhile(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that its host has paused knows nothing of that."""
    monkeypatch.setattr(postgresql_clock, "_JUST_NOW_US", 0)
    async with (
        counted(postgres_url) as (url, wire),
        opened(url) as far,
        opened(postgres_url) as other,
    ):
        await SqlOrders(far).save(an_order())
        wire.hold()
        late = asyncio.create_task(SqlOrders(far).save(an_order(), guard=_TEA))
        await _double_click_is_placed_and_its_window_ends(other)
        now = postgresql_clock.own_us
        monkeypatch.setattr(postgresql_clock, "own_us", lambda: now() - _HOUR_US)
        wire.let_through()

        with pytest.raises(PossibleDuplicate):
            await late


async def test_a_machine_whose_clock_was_set_back_still_sees_a_double_click_on_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(f"sqlite:///{tmp_path / 'orders.db'}") as database:
        double = await SqlOrders(database).save(an_order(), guard=_TEA)
        await SqlOrders(database).save(paid(double.order))
        # Between the call and the writing.
        monkeypatch.setattr(sqlite_store, "_now_us", lambda: time.time_ns() // 1000 + _HOUR_US)

        with pytest.raises(PossibleDuplicate):
            await SqlOrders(database).save(an_order(), guard=_TEA)


async def test_if_the_server_does_not_say_its_time_nothing_is_sent(postgres_url: str) -> None:
    async with (
        counted(postgres_url) as (url, wire),
        opened(url, statement=0.3) as far,
        opened(postgres_url) as other,
    ):
        order = an_order()
        wire.silence()
        with pytest.raises(StoreUnavailable):
            await SqlOrders(far).save(order, guard=_TEA)
        wire.speak()

        assert await are_stored(other, order) == [False]


def test_what_was_heard_just_now_is_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    own = 5_000_000
    monkeypatch.setattr(postgresql_clock, "own_us", lambda: own)
    clock = ServerClock()
    clock.heard(1_000_000_000)
    known = []
    for later in (1_000_000, 1):
        own += later
        clock.doubt()
        known.append(clock.is_known)

    assert known == [True, False], "or each of many double clicks would ask again"


def test_the_clock_of_the_server_is_known_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    own = 5_000_000
    monkeypatch.setattr(postgresql_clock, "own_us", lambda: own)
    clock = ServerClock()
    known = [clock.is_known]
    clock.heard(1_000_000_000)
    assert clock.at_least_us(own + 7) == 1_000_000_007
    for later in (0, _HOUR_US, 1):
        own += later
        known.append(clock.is_known)
    clock.heard(9_000_000_000)

    assert known == [False, True, True, False]
    assert clock.at_least_us(own) == 9_000_000_000


def _server_us(clock: ServerClock) -> int:
    return clock.at_least_us(postgresql_clock.own_us())
