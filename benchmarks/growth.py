"""`python -m benchmarks.growth`: whether a list takes longer for who has ordered more.

One customer for each size, all in one database, their orders mixed in time, and with `--in-all`
among those of others, a hundred each. The rows are put there by SQL; they hold what a list and a
single read look at, and no movements of money.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from order_core.order import Order
from order_core.ports import OrderQuery
from order_sqlalchemy import Database, SqlOrders, open_database, upgrade
from tests.integration.postgres import PostgresServer

SIZES: Final = (10**3, 10**4, 10**5, 10**6)
_ROUNDS: Final = 300
_AT_ONCE: Final = 100_000
"""So many rows are filled in by one statement."""
_BEGIN: Final = datetime(2023, 11, 14, tzinfo=UTC)
_MOST_GROWTH: Final = 1.2

_FILL: Final = """
    INSERT INTO orders (id, customer_id, status, currency, total_minor, items, shipping_address,
                        email, created_at_us, version, event_count, captured_minor,
                        refunded_minor, refund_asked_minor,
                        owner_view, owner_view_edition, owner_view_version)
    SELECT 'o-{size}-' || lpad(n::text, 8, '0'), {customer}, 'pending', 'EUR', 2500,
           '[["mug", 2, 1250]]', '[["name", "Ada"]]', 'ada@example.org',
           {begin_us} + n::bigint * {step_us}, 2, 2, 2500, 0, 0, repeat('x', 420), 'growth', 2
    FROM generate_series({first}, {last}) n"""


class _View:
    """An `OwnerView` whose texts are there already."""

    edition: Final = "growth"

    def text_of(self, order: Order, /) -> str:
        raise AssertionError(f"{order.id} was built, though its text is stored")


def main() -> None:
    """Fill, measure in turns, and compare; exit code 1 if anything grew by a fifth."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--in-all", type=int, default=0, metavar="ORDERS")
    chosen = parser.parse_args()
    sizes = tuple(chosen.sizes)
    postgres = PostgresServer(durable=True)
    try:
        postgres.create()
        postgres.start()
        name = postgres.create_database()
        asyncio.run(upgrade(postgres.url(name)))
        for size in sizes:
            _say(f"{size:,} orders of one customer")
            _fill(postgres, name, size, customer=f"'c-{size}'")
        if (others := chosen.in_all - sum(sizes)) > 0:
            _say(f"{others:,} orders of others")
            _fill(postgres, name, others, customer="'c-other-' || n / 100")
        postgres.execute("VACUUM ANALYZE orders", database=name)
        grew = asyncio.run(_measured(postgres.url(name), sizes))
    finally:
        postgres.close()
    sys.exit(1 if grew > _MOST_GROWTH else 0)


def _fill(postgres: PostgresServer, name: str, size: int, *, customer: str) -> None:
    # All of them take a year, so that the large ones are mixed into the small.
    chosen = {
        "size": size,
        "customer": customer,
        "begin_us": _us(_BEGIN - datetime(1970, 1, 1, tzinfo=UTC)),
        "step_us": _us(timedelta(days=365) / size),
    }
    for first in range(1, size + 1, _AT_ONCE):
        statement = _FILL.format(first=first, last=min(size, first + _AT_ONCE - 1), **chosen)
        postgres.execute(statement, database=name)


async def _measured(url: str, sizes: tuple[int, ...]) -> float:
    database = open_database(url, pool_size=1)
    try:
        seconds = await _seconds(database, sizes)
    finally:
        await database.close()
    most = 0.0
    for what in ("first page", "page in the middle", "get"):
        medians = [statistics.median(seconds[what, size]) for size in sizes]
        growth = max(medians) / medians[0]
        most = max(most, growth)
        told = ", ".join(f"{size:,}: {m * 1e6:.0f}" for size, m in zip(sizes, medians, strict=True))
        print(f"{what}: {told} us; the slowest is {growth:.2f} of the smallest")
    return most


async def _seconds(
    database: Database, sizes: tuple[int, ...]
) -> dict[tuple[str, int], list[float]]:
    orders, view = SqlOrders(database), _View()
    seconds: dict[tuple[str, int], list[float]] = {}
    middle = _BEGIN + timedelta(days=182)

    async def timed(what: str, size: int, ask: Callable[[], Awaitable[object]]) -> None:
        began = time.perf_counter()
        await ask()
        seconds.setdefault((what, size), []).append(time.perf_counter() - began)

    for _ in range(_ROUNDS):
        for size in sizes:
            first = OrderQuery(f"c-{size}")
            deep = OrderQuery(f"c-{size}", before=(middle, "o"))
            order_id = f"o-{size}-{size // 2:08}"
            await timed("first page", size, lambda q=first: orders.show_list(q, view))  # type: ignore[misc]
            await timed("page in the middle", size, lambda q=deep: orders.show_list(q, view))  # type: ignore[misc]
            await timed("get", size, lambda i=order_id: orders.show(i, view))  # type: ignore[misc]
    return seconds


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
