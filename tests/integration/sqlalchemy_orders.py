"""Orders to store, and a database to store them in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from order_core.errors import OrderNotFound
from order_core.events import OrderPlaced
from order_core.money import Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.ports import Lease
from order_core.shipping_address import ShippingAddress
from order_sqlalchemy import Database, SqlOrders, open_database, upgrade
from order_sqlalchemy.database import with_driver
from order_sqlalchemy.store import Timeouts

NOON = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
_numbers = count(1)


@asynccontextmanager
async def opened(url: str, *, pool_size: int = 10, **seconds: float) -> AsyncIterator[Database]:
    """The database at `url` with the newest schema."""
    await upgrade(url)
    database = open_database(url, pool_size=pool_size, timeouts=Timeouts(**seconds))
    try:
        yield database
    finally:
        await database.close()


def a_charge(order_id: str, **but: Any) -> PaymentTransaction:
    charge = PaymentTransaction(
        id=f"t-{next(_numbers)}",
        order_id=order_id,
        customer_id="c-9",
        kind=TransactionKind.CHARGE,
        amount=Money(2500, "EUR"),
        provider="stripe",
        account="acct_1/test",
        installation="shop",
        request_version="1",
        recorded_at=NOON,
        send_until=NOON + timedelta(minutes=10),
        horizon=timedelta(minutes=30),
        attend_at=NOON + timedelta(seconds=30),
        token="pm_card_visa",
    )
    changed = replace(charge, **but)
    # What is final keeps no secret; the database would refuse it.
    return changed if changed.is_open else replace(changed, token=None, client_secret=None)


def an_order(
    *,
    customer_id: str = "c-9",
    items: int = 1,
    at: datetime = NOON,
    email: str | None = "ada@example.org",
    **charge: Any,
) -> Order:
    """A new order that waits for its charge."""
    order_id = f"o-{next(_numbers):06}"
    lines = tuple(OrderItem(f"mug-{n}", 2, Money(1250, "EUR")) for n in range(items))
    amount = Money(2500 * items, "EUR")
    return Order.open(
        order_id=order_id,
        customer_id=customer_id,
        items=lines,
        shipping_address=ShippingAddress((("name", "Ada"), ("city", "Paris"))),
        email=email,
        charge=a_charge(order_id, **{"amount": amount, "customer_id": customer_id, **charge}),
        at=at,
    )


def paid(order: Order, reference: str | None = None) -> Order:
    """The order with its charge settled, placed."""
    reference = reference or f"pi-{order.id}"
    done = order.charge.finished(TransactionStatus.SUCCEEDED, reference=reference)
    placed = order.with_transaction(done).moved_to(OrderStatus.PENDING)
    return placed.with_news(OrderPlaced(done.id, reference), order.created_at)


async def are_stored(database: Database, *orders: Order) -> list[bool]:
    found = []
    for order in orders:
        try:
            await SqlOrders(database).get(order.id)
        except OrderNotFound:
            found.append(False)
        else:
            found.append(True)
    return found


def a_lease(order: Order, token: str, seconds: float = 60, *, by_request: bool = True) -> Lease:
    return Lease(order.id, token, timedelta(seconds=seconds), by_request)


async def run_sql(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Past our code, as somebody with a console does it; the rows of the last statement."""
    engine = create_async_engine(with_driver(url), poolclass=NullPool)
    rows: list[tuple[Any, ...]] = []
    try:
        async with engine.begin() as connection:
            for statement in statements:
                result = await connection.exec_driver_sql(statement)
                rows = [tuple(row) for row in result] if result.returns_rows else []
    finally:
        await engine.dispose()
    return rows
