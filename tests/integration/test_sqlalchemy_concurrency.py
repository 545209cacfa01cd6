"""Many at once: one wins, the others are told why, and nobody sees half a save."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from order_core.errors import (
    ConcurrentUpdate,
    IdempotencyKeyReused,
    OrderCoreError,
    OrderNotFound,
    PossibleDuplicate,
)
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.ports import DuplicateGuard, OrderQuery, RequestRecord
from order_sqlalchemy import Database, SqlOrders, SqlWorkQueue
from tests.integration.sqlalchemy_orders import NOON, a_lease, an_order, run_sql

pytest_plugins = ["tests.integration.sqlalchemy_database"]

_GUARD = DuplicateGuard("same content", timedelta(seconds=10))


async def _outcome(orders: SqlOrders, order: Order, key: str | None) -> str:
    request = RequestRecord("c-9", "POST /orders", key, "body") if key else None
    try:
        await orders.save(order, request=request, guard=_GUARD, take=a_lease(order, order.id))
    except OrderCoreError as refusal:
        return type(refusal).__name__
    return "stored"


async def test_the_same_key_wins_over_the_same_content_for_fifty_at_once(
    database: Database,
) -> None:
    orders = SqlOrders(database)

    outcomes = await asyncio.gather(*(_outcome(orders, an_order(), "k-1") for _ in range(50)))

    assert Counter(outcomes) == {"stored": 1, IdempotencyKeyReused.__name__: 49}


async def test_of_fifty_equal_orders_with_keys_of_their_own_one_is_stored_and_nothing_of_the_rest(
    database: Database,
) -> None:
    orders = SqlOrders(database)
    wanted = [an_order() for _ in range(50)]

    outcomes = await asyncio.gather(
        *(_outcome(orders, order, f"k-{n}") for n, order in enumerate(wanted))
    )

    assert Counter(outcomes) == {"stored": 1, PossibleDuplicate.__name__: 49}
    [(keys,)] = await database.store.rows("SELECT count(*) FROM idempotency_records")
    [(charges,)] = await database.store.rows("SELECT count(*) FROM payment_transactions")
    assert (keys, charges) == (1, 1)


async def test_of_fifty_equal_orders_without_a_key_one_is_stored(database: Database) -> None:
    orders = SqlOrders(database)

    outcomes = await asyncio.gather(*(_outcome(orders, an_order(), None) for _ in range(50)))

    assert Counter(outcomes) == {"stored": 1, PossibleDuplicate.__name__: 49}


async def test_a_refused_double_click_leaves_no_key_behind(database: Database) -> None:
    orders = SqlOrders(database)
    await _outcome(orders, an_order(), "k-1")
    refused = an_order()

    assert await _outcome(orders, refused, "k-2") == PossibleDuplicate.__name__

    assert await orders.find_request("c-9", "POST /orders", "k-2") is None
    try:
        await orders.get(refused.id)
    except OrderNotFound:
        pass
    else:
        raise AssertionError("the refused order was stored")


async def test_the_window_ends_by_the_clock_of_the_database(
    database: Database, database_url: str
) -> None:
    orders = SqlOrders(database)
    first = an_order(at=NOON)
    await _outcome(orders, first, None)
    await orders.save(replace(await orders.get(first.id), status=OrderStatus.PENDING))

    def aged(by: timedelta) -> str:
        microseconds = by // timedelta(microseconds=1)
        return f"UPDATE order_fingerprints SET created_at_us = created_at_us - {microseconds}"  # noqa: S608 - a number

    await run_sql(database_url, aged(_GUARD.window - timedelta(seconds=5)))
    within = await _outcome(orders, an_order(at=NOON + 9 * _GUARD.window), None)
    await run_sql(database_url, aged(timedelta(seconds=5)))

    assert within == PossibleDuplicate.__name__
    assert await _outcome(orders, an_order(at=NOON), None) == "stored"


async def test_a_cancelled_order_can_be_ordered_again_at_once(database: Database) -> None:
    orders = SqlOrders(database)
    order = an_order()
    await _outcome(orders, order, None)
    first = await orders.get(order.id)

    await orders.save(replace(first, status=OrderStatus.CANCELLED))

    assert await _outcome(orders, an_order(), None) == "stored"


async def test_of_many_changes_of_one_version_one_is_stored(database: Database) -> None:
    orders = SqlOrders(database)
    saved = (await orders.save(an_order())).order

    async def change(n: int) -> str:
        try:
            await orders.save(replace(saved, email=f"{n}@example.org"))
        except ConcurrentUpdate:
            return "lost"
        return f"{n}@example.org"

    outcomes = Counter(await asyncio.gather(*map(change, range(20))))

    assert outcomes.pop("lost") == 19
    assert await orders.get(saved.id) == replace(
        saved, email=next(iter(outcomes)), version=saved.version + 1
    )


async def test_a_claim_never_pairs_a_new_order_with_its_old_transactions(
    database: Database,
) -> None:
    # A worker that saved such a pair would undo what a webhook has stored in between.
    orders, work = SqlOrders(database), SqlWorkQueue(database)
    saved = [(await orders.save(an_order())).order for _ in range(8)]
    torn: list[Order] = []
    claimed = 0
    done = asyncio.Event()

    def marked(order: Order) -> Order:
        return order.with_transaction(replace(order.charge, attempts=order.version + 1))

    async def settle(order: Order) -> None:
        for _ in range(300):
            order = (await orders.save(marked(order))).order

    async def claim(name: int) -> None:
        nonlocal claimed
        while not done.is_set():
            tokens = tuple(f"{name}-{n}" for n in range(8))
            for claim in await work.claim(limit=8, hold=timedelta(0), tokens=tokens):
                claimed += 1
                version, charge = claim.order.version, claim.order.charge
                if version > 1 and charge.attempts != version:
                    torn.append(claim.order)

    # A group, because claims that go on after a failure would keep the database open for ever.
    async with asyncio.TaskGroup() as everybody:
        for name in range(3):
            everybody.create_task(claim(name))
        await asyncio.gather(*map(settle, saved))
        done.set()

    assert claimed > 20
    assert torn == []
    assert len((await orders.list(OrderQuery(None, statuses=frozenset(OrderStatus)))).orders) == 8
