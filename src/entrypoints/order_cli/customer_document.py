"""Everything that is kept of a customer as one JSON document, written while it is read."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, TextIO

from order_core.events import Happened
from order_core.money import Money
from order_core.order import Order
from order_core.payment import PaymentTransaction
from order_core.ports import OrderTraces
from order_core.use_cases import ExportCustomer

_LEFT_OUT: Final = {
    # With these somebody could pay; they are kept only until the payment has an outcome.
    PaymentTransaction: frozenset({"token", "client_secret"}),
    # Stored orders have none; their history has it all.
    Order: frozenset({"news"}),
}


async def write_document(
    export: ExportCustomer, customer_id: str, *, at: datetime, to: TextIO
) -> None:
    """Write the document. It holds one page of orders in memory, however many there are.

    What breaks off in the middle is no JSON: nobody takes a part for the whole.

    Raises:
        StoreUnavailable: the rest could not be read.
    """
    to.write(f'{{"customer_id": {json.dumps(customer_id)},\n "exported_at": ')
    to.write(json.dumps(plain(at)))
    await _list(to, "orders", export.orders(customer_id), _whole_order)
    await _list(to, "requests", export.requests(customer_id), plain)
    await _list(to, "sessions", export.sessions(customer_id), plain)
    to.write("}\n")


async def _list(
    to: TextIO, name: str, rows: AsyncGenerator[Any], written: Callable[[Any], object]
) -> None:
    to.write(f',\n "{name}": [')
    separator = "\n  "
    async with aclosing(rows):
        async for row in rows:
            to.write(separator + json.dumps(written(row), ensure_ascii=False))
            separator = ",\n  "
    to.write("\n ]")


def _whole_order(row: tuple[Order, OrderTraces]) -> dict[str, Any]:
    order, traces = row
    return {**_members(order), **_members(traces)}


def plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """The value in JSON's terms, every field under its own name.

    Raises:
        TypeError: nobody has said how such a value is written.
    """
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return value.value
        case str():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case timedelta():
            return value.total_seconds()
        case Money():
            return {"amount": value.plain(), "currency": value.currency}
        case Happened():
            said = {"event": value.event.name, **_members(value.event)}
            return {"sequence": value.sequence, "at": plain(value.at), **said}
        case tuple():
            return [plain(each) for each in value]
        case _ if is_dataclass(value):
            return _members(value)
    raise TypeError(type(value).__name__)


def _members(value: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    left_out = _LEFT_OUT.get(type(value), frozenset())
    return {
        field.name: plain(getattr(value, field.name))
        for field in fields(value)
        if field.name not in left_out
    }
