"""Saves that wait together are one transaction, and each hears what became of its own order."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import (
    CommitUnknown,
    ConcurrentUpdate,
    IdempotencyKeyReused,
    PossibleDuplicate,
    StoreUnavailable,
)
from order_core.order import Order
from order_core.ports import DuplicateGuard, RequestRecord
from order_sqlalchemy import Database, SqlOrders, postgresql_queue
from order_sqlalchemy.connections import Connections
from order_sqlalchemy.postgresql_queue import MOST_TOGETHER
from order_sqlalchemy.postgresql_save import statement_of
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.postgresql_store import PostgresqlStore
from order_sqlalchemy.saving import Saving
from tests.integration.locked_order import LockedOrder
from tests.integration.postgres import PostgresServer
from tests.integration.sqlalchemy_orders import NOON, a_lease, an_order, are_stored, opened, paid
from tests.integration.sqlalchemy_wire import counted

_NOT_LONG = 1.0
_REQUEST = RequestRecord("c-9", "POST /x", "k-1", "body")


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with opened(postgres_url) as database:
        yield database


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine splits no company."""
    monkeypatch.setattr(postgresql_queue, "PATIENCE_SECONDS", 60)


async def _stored(database: Database, how_many: int) -> list[Order]:
    orders = SqlOrders(database)
    return [(await orders.save(an_order())).order for _ in range(how_many)]


async def _versions(database: Database, orders: Sequence[Order]) -> list[int]:
    return [(await SqlOrders(database).get(order.id)).version for order in orders]


def _connections(database: Database) -> Connections:
    assert isinstance(database.store, PostgresqlStore)
    return database.store.connections


async def _transactions(database: Database) -> list[int]:
    """How many orders each transaction wrote that wrote what is there now, most first."""
    rows = await database.store.rows("SELECT count(*) FROM orders GROUP BY xmin::text ORDER BY 1")
    return [number for (number,) in reversed(rows)]


@pytest.mark.usefixtures("patient")
async def test_new_orders_that_wait_together_are_one_transaction(database: Database) -> None:
    orders, new = SqlOrders(database), [an_order() for _ in range(MOST_TOGETHER + 8)]

    saved = await asyncio.gather(*(orders.save(order) for order in new))

    assert [each.order.id for each in saved] == [order.id for order in new]
    assert all(await are_stored(database, *new))
    assert await _transactions(database) == [MOST_TOGETHER, 7, 1], "the first one goes at once"


@pytest.mark.usefixtures("patient")
async def test_changes_that_wait_together_are_one_transaction(database: Database) -> None:
    orders, known = SqlOrders(database), await _stored(database, 6)

    await asyncio.gather(*(orders.save(paid(order)) for order in known))

    assert await _versions(database, known) == [2] * 6
    assert await _transactions(database) == [5, 1]


@pytest.mark.usefixtures("patient")
async def test_those_of_one_statement_go_together_and_the_others_beside_them(
    database: Database,
) -> None:
    orders, known = SqlOrders(database), await _stored(database, 3)
    new = [an_order() for _ in range(3)]

    mixed = [save for pair in zip(new, map(paid, known), strict=True) for save in pair]
    await asyncio.gather(*(orders.save(order) for order in mixed))

    assert all(await are_stored(database, *new))
    assert await _versions(database, known) == [2] * 3
    assert await _transactions(database) == [3, 2, 1]


@pytest.mark.usefixtures("patient")
async def test_each_hears_whether_it_holds_its_own_lease(database: Database) -> None:
    orders, known = SqlOrders(database), await _stored(database, 4)
    await orders.save(known[2], take=a_lease(known[2], "another's"))
    now = [*known[:2], (await orders.get(known[2].id)), known[3]]

    saved = await asyncio.gather(
        *(orders.save(paid(order), take=a_lease(order, f"mine-{order.id}")) for order in now)
    )

    assert [each.holds_lease for each in saved] == [True, True, False, True]


_WINDOW = timedelta(hours=1)


@pytest.mark.usefixtures("patient")
async def test_what_comes_twice_in_one_company_is_refused_once(database: Database) -> None:
    orders, new = SqlOrders(database), [an_order() for _ in range(6)]
    requests = [RequestRecord("c-9", "POST /x", f"k-{n}", "body") for n in range(6)]
    guards = [DuplicateGuard(f"mugs {n}", _WINDOW) for n in range(6)]
    requests[3], guards[5] = requests[2], guards[4]

    outcomes = await asyncio.gather(
        *(
            orders.save(order, request=request, guard=guard)
            for order, request, guard in zip(new, requests, guards, strict=True)
        ),
        return_exceptions=True,
    )

    keyed, guarded = outcomes[2:4], outcomes[4:6]
    assert not any(isinstance(each, BaseException) for each in outcomes[:2])
    assert sum(isinstance(each, IdempotencyKeyReused) for each in keyed) == 1
    assert sum(isinstance(each, PossibleDuplicate) for each in guarded) == 1
    assert [isinstance(each, BaseException) for each in outcomes] == [
        not stored for stored in await are_stored(database, *new)
    ]


async def test_keys_and_contents_that_are_used_already_refuse_only_their_own(
    database: Database,
) -> None:
    orders = SqlOrders(database)
    window = DuplicateGuard("the same tea", _WINDOW)
    requests = [RequestRecord("c-9", "POST /x", f"k-{n}", "body") for n in range(6)]
    guards = [replace(window, content_fingerprint=f"tea-{n}") for n in range(6)]
    await orders.save(an_order(), request=requests[2], guard=window)
    new = [an_order() for _ in range(6)]
    guards[4] = window

    outcomes = await asyncio.gather(
        *(
            orders.save(order, request=request, guard=guard)
            for order, request, guard in zip(new, requests, guards, strict=True)
        ),
        return_exceptions=True,
    )

    assert isinstance(outcomes[2], IdempotencyKeyReused)
    assert isinstance(outcomes[4], PossibleDuplicate)
    assert await are_stored(database, *new) == [True, True, False, True, False, True]
    assert await orders.find_request("c-9", "POST /x", "k-4") is None


@pytest.mark.usefixtures("patient")
async def test_the_log_says_why_a_company_was_refused_and_nothing_of_who_ordered(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "order_sqlalchemy")
    orders = SqlOrders(database)
    requests = [RequestRecord("c-9", "POST /x", f"k-{n}", "body") for n in range(6)]
    await orders.save(an_order(), request=requests[2])

    await asyncio.gather(
        *(orders.save(an_order(), request=request) for request in requests),
        return_exceptions=True,
    )

    [told] = caplog.messages
    assert told == (
        "a company of 5 saves was refused, and each goes alone: UniqueViolationError: "
        'duplicate key value violates unique constraint "pk_idempotency_records"'
    )
    assert database.companies_refused == 1


@pytest.mark.usefixtures("patient")
async def test_of_two_changes_to_one_order_one_wins_and_the_others_are_untouched(
    database: Database,
) -> None:
    orders, known = SqlOrders(database), await _stored(database, 4)
    # Without news: only by two equal entries in a history could the database tell that two saves of
    # one order went together.
    changed = [order.with_transaction(order.charge.sending(NOON)) for order in known]
    twice = changed[2]

    outcomes = await asyncio.gather(
        *(orders.save(order) for order in [*changed, twice, twice]), return_exceptions=True
    )

    lost = [each for each in outcomes if isinstance(each, BaseException)]
    assert [type(each) for each in lost] == [ConcurrentUpdate] * 2
    assert await _versions(database, known) == [2] * 4


@pytest.mark.usefixtures("patient")
async def test_an_order_that_cannot_be_written_down_refuses_only_its_own(
    database: Database,
) -> None:
    orders, new = SqlOrders(database), [an_order() for _ in range(4)]
    broken = replace(new[2], customer_id="\ud800")

    outcomes = await asyncio.gather(
        *(orders.save(order) for order in [*new[:2], broken, new[3]]), return_exceptions=True
    )

    assert isinstance(outcomes[2], StoreUnavailable)
    assert await are_stored(database, *new) == [True, True, False, True]


async def test_whoever_waits_for_a_lock_keeps_no_later_one_waiting(
    database: Database, postgres_url: str
) -> None:
    orders, known = SqlOrders(database), await _stored(database, 4)
    async with LockedOrder(postgres_url, known[0].id):
        stuck = asyncio.create_task(orders.save(paid(known[0])))
        await asyncio.sleep(0.02)

        started = time.monotonic()
        await asyncio.gather(*(orders.save(paid(order)) for order in known[1:]))

        assert time.monotonic() - started < _NOT_LONG
        assert not stuck.done()
    assert (await stuck).order.version == 2


async def test_a_company_has_no_more_time_than_one_save_and_nobody_is_left_in_doubt(
    database: Database, postgres_url: str
) -> None:
    # If each of them had its own time, a company could be stored long after it was given up:
    # then a second click finds nothing, and buys again.
    await database.store.change("""
        CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_sleep(0.04); RETURN NEW; END'""")
    await database.store.change(
        "CREATE TRIGGER dawdle BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION dawdle()"
    )
    async with opened(postgres_url, statement=_NOT_LONG / 2) as hasty:
        new = [an_order() for _ in range(MOST_TOGETHER + 1)]
        await asyncio.gather(*(SqlOrders(hasty).save(order) for order in new))

    assert all(await are_stored(database, *new))


async def test_a_company_finds_its_rows_by_index_in_a_table_that_was_never_analyzed(
    database: Database,
) -> None:
    orders, known = SqlOrders(database), await _stored(database, 1)
    shapes = [
        Shape.of(Saving(an_order(), _REQUEST, DuplicateGuard("tea", _WINDOW), None, None)),
        Shape.of(Saving(paid(known[0]), None, None, a_lease(known[0], "l"), None)),
    ]
    pooled = await _connections(database).take()
    raw: Any = pooled.driver_connection
    await raw.execute("SET client_min_messages = 'warning'")
    for shape in shapes:
        text = statement_of(shape.in_company()).text
        await raw.execute(f"PREPARE company AS {text}")
        await raw.execute("SET plan_cache_mode = 'force_generic_plan'")
        nothing = ", ".join(["'[]'"] * 3)
        plan = [line for (line,) in await raw.fetch(f"EXPLAIN EXECUTE company({nothing})")]
        await raw.execute("DEALLOCATE company")
        assert [line for line in plan if "Seq Scan on" in line] == []
        assert any("Scan using pk_orders" in line for line in plan)
    _connections(database).give_back(pooled, usable=False)
    assert (await orders.get(known[0].id)).version == 1


@pytest.mark.usefixtures("patient")
async def test_a_company_that_waits_too_long_for_one_lock_is_saved_without_it(
    postgres_url: str,
) -> None:
    async with opened(postgres_url, statement=_NOT_LONG / 2) as database:
        orders, known = SqlOrders(database), await _stored(database, 5)
        async with LockedOrder(postgres_url, known[3].id):
            outcomes = await asyncio.gather(
                *(orders.save(paid(order)) for order in known), return_exceptions=True
            )

        assert isinstance(outcomes[3], StoreUnavailable)
        assert await _versions(database, known) == [2, 2, 2, 1, 2]


@pytest.mark.usefixtures("patient")
async def test_if_the_connection_is_cut_nobody_of_the_company_knows(
    database: Database, postgres_url: str, postgres_server: PostgresServer
) -> None:
    orders, known = SqlOrders(database), await _stored(database, 5)
    async with LockedOrder(postgres_url, known[3].id):
        saving = asyncio.gather(
            *(orders.save(paid(order)) for order in known), return_exceptions=True
        )
        await asyncio.sleep(0.3)
        await asyncio.to_thread(
            postgres_server.execute,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'order-core' AND wait_event_type = 'Lock'",
        )
        outcomes = await saving

    assert [type(each) for each in outcomes[1:]] == [CommitUnknown] * 4
    assert await _versions(database, known) == [2, 1, 1, 1, 1]


async def test_if_the_server_falls_silent_nobody_knows_and_everything_may_be_stored(
    postgres_url: str,
) -> None:
    async with (
        counted(postgres_url) as (url, trips),
        opened(url, statement=_NOT_LONG / 2) as database,
    ):
        orders, known = SqlOrders(database), await _stored(database, 2)
        await _make_two_connections_ready(database, postgres_url)
        trips.silence()
        outcomes = await asyncio.gather(
            *(orders.save(paid(order)) for order in known), return_exceptions=True
        )
        trips.speak()

        assert [type(each) for each in outcomes] == [CommitUnknown] * 2
        assert await _versions(database, known) == [2, 2]


async def _make_two_connections_ready(database: Database, url: str) -> None:
    """Both know the statement of a change, and so need no answer before they send one."""
    first, second = await _stored(database, 2)
    async with LockedOrder(url, first.id):
        stuck = asyncio.create_task(SqlOrders(database).save(paid(first)))
        await asyncio.sleep(0)
        await SqlOrders(database).save(paid(second))
    await stuck


@pytest.mark.usefixtures("patient")
async def test_a_save_that_is_cancelled_while_it_waits_is_never_sent(database: Database) -> None:
    orders, known = SqlOrders(database), await _stored(database, 3)
    saving = [asyncio.create_task(orders.save(paid(order))) for order in known]
    await asyncio.sleep(0)
    saving[1].cancel()
    # Its company is that of the third, so it would be stored by then.
    await asyncio.gather(saving[0], saving[2])

    assert saving[1].cancelled()
    assert await _versions(database, known) == [2, 1, 2]


@pytest.mark.usefixtures("patient")
async def test_a_save_that_is_cancelled_under_way_takes_nobody_with_it(
    database: Database, postgres_url: str
) -> None:
    orders, known = SqlOrders(database), await _stored(database, 4)
    async with LockedOrder(postgres_url, known[3].id):
        saving = [asyncio.create_task(orders.save(paid(order))) for order in known]
        await saving[0]
        await asyncio.sleep(0.2)
        saving[1].cancel()
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*saving, return_exceptions=True)

    assert isinstance(outcomes[1], asyncio.CancelledError)
    assert await _versions(database, known) == [2] * 4
    await orders.save(an_order())


async def test_too_many_are_sent_away_before_anything_is_sent(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_queue, "MOST_WAITING", 3)
    orders, new = SqlOrders(database), [an_order() for _ in range(6)]

    outcomes = await asyncio.gather(*(orders.save(order) for order in new), return_exceptions=True)

    assert [isinstance(each, StoreUnavailable) for each in outcomes] == [False] * 4 + [True] * 2
    assert await are_stored(database, *new) == [True] * 4 + [False] * 2


async def test_what_is_under_way_is_finished_before_the_database_is_closed(
    postgres_url: str,
) -> None:
    async with opened(postgres_url) as database:
        known = await _stored(database, 3)
        async with LockedOrder(postgres_url, known[1].id):
            saving = [asyncio.create_task(SqlOrders(database).save(paid(o))) for o in known]
            await saving[0]
            await asyncio.sleep(0.1)
            saving[1].cancel()
            closing = asyncio.create_task(database.close())
            await asyncio.sleep(0.1)
            assert not closing.done()
        await closing
        assert (await saving[2]).order.version == 2


async def test_a_company_that_finds_a_connection_too_late_is_never_sent(postgres_url: str) -> None:
    async with opened(postgres_url, pool_size=2, pool=0.5) as database:
        orders, known = SqlOrders(database), await _stored(database, 2)
        taken = await _connections(database).take()
        async with LockedOrder(postgres_url, known[0].id):
            saving = [asyncio.create_task(orders.save(paid(order))) for order in known]
            await asyncio.sleep(0.05)
            next_in_line = asyncio.create_task(_connections(database).take())
            await asyncio.sleep(0.3)
        await saving[0]
        # The second one has its turn now, and waits for one of the two connections.
        await asyncio.sleep(0.3)
        _connections(database).give_back(taken)
        _connections(database).give_back(await next_in_line)

        with pytest.raises(StoreUnavailable, match="could not be sent"):
            await saving[1]
        assert await _versions(database, known) == [2, 1]
