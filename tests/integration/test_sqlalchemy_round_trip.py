"""Every field of every order comes back as it went in, whatever was in it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from order_core.order import Order
from order_sqlalchemy import Database, SqlOrders
from tests.integration.any_orders import orders
from tests.integration.sqlalchemy_orders import opened

pytest_plugins = ["tests.integration.sqlalchemy_database"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[asyncio.Runner, Database]]:
    """One database for all examples, with the event loop that its connections belong to."""
    server = name = None
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("round_trip")
        url = f"sqlite:///{folder / 'orders.db'}"
    else:
        server = request.getfixturevalue("postgres_server")
        name = server.create_database()
        url = server.url(name)
    with asyncio.Runner() as runner:
        opening = opened(url)
        yield runner, runner.run(opening.__aenter__())
        runner.run(opening.__aexit__(None, None, None))
    if server:
        server.drop_database(name)


@given(order=orders(), changed=orders())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_an_order_comes_back_as_it_went_in(
    shared: tuple[asyncio.Runner, Database], order: Order, changed: Order
) -> None:
    runner, database = shared

    async def there_and_back() -> None:
        kept = SqlOrders(database)
        first = (await kept.save(order)).order
        assert await kept.get(order.id) == first == replace(order, news=(), version=1)
        assert (await kept.history(order.id)).entries == order.news

        # Movements are only ever added, so those of the other order follow on.
        movements = tuple(replace(t, order_id=order.id) for t in changed.transactions)
        second = replace(
            changed,
            id=order.id,
            transactions=(*order.transactions, *movements),
            news=(),
            event_count=order.event_count,
            version=1,
        )
        await kept.save(second)
        assert await kept.get(order.id) == replace(second, version=2)

    runner.run(there_and_back())
