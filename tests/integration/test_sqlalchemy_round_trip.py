"""Every field of every order comes back as it went in, whatever was in it."""

import asyncio
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from order_core.currencies import DECIMALS
from order_core.events import EVENT_TYPES, Event, Happened
from order_core.money import MAX_MINOR_UNITS, Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import (
    OPEN_STATUSES,
    TAKING_KINDS,
    Origin,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from order_core.shipping_address import ShippingAddress
from order_sqlalchemy import Database, SqlOrders
from tests.integration.sqlalchemy_orders import opened

pytest_plugins = ["tests.integration.sqlalchemy_database"]

_numbers = count(1)

# Everything that the core lets in: no NUL, no other control character, no lone surrogate.
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\"'\\{}[],:%$?"),
    min_size=1,
    max_size=30,
).filter(lambda text: text.strip() != "")
moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
durations = st.timedeltas(timedelta(0), timedelta(days=400))
counts = st.integers(0, 2**31 - 1)


def money(currency: str, most: int = MAX_MINOR_UNITS) -> st.SearchStrategy[Money]:
    return st.builds(Money, st.integers(1, most), st.just(currency))


@st.composite
def transactions(
    draw: st.DrawFn, order_id: str, currency: str, *, first: bool = False
) -> PaymentTransaction:
    # Facts of the provider, and only dead charges: nothing here breaks a constraint.
    kind = draw(st.sampled_from(sorted(TAKING_KINDS) if first else list(TransactionKind)))
    dead = st.sampled_from([TransactionStatus.DECLINED, TransactionStatus.FAILED])
    status = draw(dead if kind in TAKING_KINDS else st.sampled_from(TransactionStatus))
    origin = Origin.PROVIDER if kind is TransactionKind.REFUND else draw(st.sampled_from(Origin))
    maybe_text, maybe_moment = st.none() | texts, st.none() | moments
    is_open = status in OPEN_STATUSES
    return PaymentTransaction(
        id=f"t-{next(_numbers)}",
        order_id=order_id,
        customer_id=draw(texts),
        kind=kind,
        amount=draw(money(currency)),
        provider=draw(texts),
        account=draw(texts),
        installation=draw(texts),
        request_version=draw(texts),
        recorded_at=draw(moments),
        send_until=draw(moments),
        horizon=draw(durations),
        status=status,
        origin=Origin.OURS if first else origin,
        token=draw(maybe_text if is_open else st.none()),
        single_use_fingerprint=draw(maybe_text),
        return_url=draw(maybe_text),
        parent_id=draw(maybe_text),
        parent_reference=draw(maybe_text),
        provider_reference=draw(maybe_text),
        step=draw(st.integers(1, 1000)),
        sends=draw(counts),
        last_send_at=draw(maybe_moment),
        attempts=draw(counts),
        attend_at=draw(moments if is_open else maybe_moment),
        reason=draw(maybe_text),
        retryable=draw(st.booleans()),
        review=draw(maybe_text),
        action_url=draw(maybe_text),
        client_secret=draw(maybe_text if is_open else st.none()),
        action_expires_at=draw(maybe_moment),
        capture_before=draw(maybe_moment),
    )


@st.composite
def events(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(sorted(EVENT_TYPES)))
    values: dict[str, Any] = {
        field.name: draw(st.booleans() if field.type is bool else texts)
        for field in fields(EVENT_TYPES[kind])
    }
    return EVENT_TYPES[kind](**values)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    order_id, currency = f"o-{next(_numbers)}", draw(st.sampled_from(sorted(DECIMALS)))
    item = st.builds(OrderItem, texts, st.integers(1, 1000), money(currency))
    lines = st.lists(st.tuples(texts, texts), min_size=1, max_size=5).map(tuple)
    news = draw(st.lists(st.tuples(moments, events()), max_size=4))
    charge = draw(transactions(order_id, currency, first=True))
    more = draw(st.lists(transactions(order_id, currency), max_size=2))
    return Order(
        id=order_id,
        customer_id=draw(texts),
        items=tuple(draw(st.lists(item, min_size=1, max_size=3))),
        total=draw(money(currency)),
        shipping_address=ShippingAddress(draw(texts | lines)),
        email=draw(st.none() | texts),
        status=draw(st.sampled_from(OrderStatus)),
        created_at=draw(moments),
        transactions=(charge, *more),
        event_count=len(news),
        news=tuple(Happened(n, at, event) for n, (at, event) in enumerate(news, start=1)),
    )


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
