"""`python -m benchmarks.growth_of_writes`: whether a create or a claim takes longer among many.

One database for each size, asked in turns. The rows in them are copies, made by SQL, of one order
that was really placed and paid, with all that is stored beside it.
"""

# ruff: noqa: S608 - names of the schema and numbers become part of the SQL

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from order_core.events import OrderPlaced
from order_core.order import Order
from order_core.order_status import OrderStatus
from order_core.payment import TransactionStatus
from order_core.ports import DuplicateGuard, Lease
from order_memory.contracts.samples import a_placed_order, a_request, an_order
from order_sqlalchemy import Database, SqlOrders, SqlWorkQueue, open_database, upgrade
from order_sqlalchemy.schema import metadata
from tests.integration.postgres import PostgresServer

SIZES: Final = (10**3, 10**4, 10**5, 10**6)
_ROUNDS: Final = 300
_AT_ONCE: Final = 100_000
_MOST_GROWTH: Final = 1.2
_HOLD: Final = timedelta(minutes=1)
_LIKE: Final = "like-this"
_COPIED: Final = {
    # Table -> what differs from copy to copy.
    "orders": {"id": "'o-' || n", "created_at_us": "created_at_us - n * 1000::bigint"},
    "payment_transactions": {
        "id": "'t-' || n",
        "order_id": "'o-' || n",
        "provider_reference": "'ref-o-' || n",
    },
    "order_events": {"order_id": "'o-' || n"},
    "idempotency_records": {"order_id": "'o-' || n", "key": "'k-' || n"},
    "order_fingerprints": {"order_id": "'o-' || n", "fingerprint": "'f-' || n"},
}

_numbers = count(1)


def main() -> None:
    """Fill, measure in turns, and compare; exit code 1 if anything grew by a fifth."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth_of_writes", description=__doc__
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = sorted(parser.parse_args().sizes)
    # A sync takes the disk as long whatever the size, and would hide what does not.
    postgres = PostgresServer(durable=False)
    try:
        postgres.create()
        postgres.start()
        urls = {size: _filled(postgres, size) for size in sizes}
        seconds = asyncio.run(_measured(urls))
    finally:
        postgres.close()
    most = 0.0
    for what in ("create", "claim"):
        medians = [statistics.median(seconds[what, size]) for size in sizes]
        growth = max(medians) / medians[0]
        most = max(most, growth)
        told = ", ".join(f"{n:,}: {m * 1e6:.0f}" for n, m in zip(sizes, medians, strict=True))
        print(f"{what}: {told} us; the slowest is {growth:.2f} of the smallest")
    sys.exit(1 if most > _MOST_GROWTH else 0)


def _filled(postgres: PostgresServer, size: int) -> str:
    """The address of a database with so many orders."""
    _say(f"{size:,} orders")
    name = postgres.create_database()
    url = postgres.url(name)
    asyncio.run(upgrade(url))
    asyncio.run(_place_the_first(url))
    for first in range(1, size, _AT_ONCE):
        _copy(postgres, name, first, min(size, first + _AT_ONCE) - 1)
    postgres.execute("VACUUM ANALYZE", database=name)
    return url


def _copy(postgres: PostgresServer, name: str, first: int, last: int) -> None:
    for table, differs in _COPIED.items():
        columns = [column.name for column in metadata.tables[table].columns]
        values = ", ".join(differs.get(column, column) for column in columns)
        whose = "id" if table == "orders" else "order_id"
        statement = f"""INSERT INTO {table} ({", ".join(columns)}) SELECT {values}
            FROM {table}, generate_series({first}, {last}) AS n WHERE {whose} = '{_LIKE}'"""
        postgres.execute(statement, database=name)


async def _place_the_first(url: str) -> None:
    async with _opened(url) as database:
        placed = a_placed_order(datetime.now(UTC), order_id=_LIKE)
        guard = DuplicateGuard("f", timedelta(seconds=10))
        await SqlOrders(database).save(placed, request=a_request("k"), guard=guard)
        # Told already, as nearly all are.
        await database.store.change("UPDATE order_events SET tell_at_us = NULL")


async def _measured(urls: dict[int, str]) -> dict[tuple[str, int], list[float]]:
    """Seconds of a create (both saves) and of a claim, by size."""
    seconds: dict[tuple[str, int], list[float]] = {}
    async with AsyncExitStack() as closing:
        databases = {
            size: await closing.enter_async_context(_opened(url)) for size, url in urls.items()
        }
        for _ in range(_ROUNDS):
            for size, database in databases.items():
                created, claimed = await _once(database)
                seconds.setdefault(("create", size), []).append(created)
                seconds.setdefault(("claim", size), []).append(claimed)
    return seconds


async def _once(database: Database) -> tuple[float, float]:
    orders, work = SqlOrders(database), SqlWorkQueue(database)
    name, now = f"new-{next(_numbers)}", datetime.now(UTC)
    opened = an_order(now, order_id=name, charge={"attend_at": now + timedelta(days=1)})
    guard = DuplicateGuard(f"new {name}", timedelta(seconds=10))
    lease = Lease(name, f"lease {name}", _HOLD, by_request=True)
    began = time.perf_counter()
    saved = await orders.save(opened, request=a_request(name), guard=guard, take=lease)
    await orders.save(_paid(saved.order, now), release=lease)
    created = time.perf_counter() - began
    due = an_order(now, charge={"attend_at": now - timedelta(seconds=5)})
    waiting = (await orders.save(due)).order
    began = time.perf_counter()
    (claim,) = await work.claim(limit=10, hold=_HOLD, tokens=tuple("abcdefghij"))
    claimed = time.perf_counter() - began
    await orders.save(_paid(waiting, now), release=claim.lease)
    return created, claimed


def _paid(order: Order, at: datetime) -> Order:
    reference = f"ref-{order.id}"
    paid = order.charge.finished(TransactionStatus.SUCCEEDED, reference=reference)
    placed = order.with_transaction(paid).moved_to(OrderStatus.PENDING)
    return placed.with_news(OrderPlaced(paid.id, reference), at)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = open_database(url, pool_size=1)
    try:
        yield database
    finally:
        await database.close()


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
