"""Orders, movements and events as arguments of a statement on PostgreSQL."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from order_sqlalchemy.mapping import TRANSACTION_COLUMNS, json_text

ORDER_VALUES: Final = (
    "id",
    "customer_id",
    "status",
    "currency",
    "total_minor",
    "items",
    "shipping_address",
    "email",
    "created_at_us",
    "event_count",
    "captured_minor",
    "refunded_minor",
    "refund_asked_minor",
    "attend_at_us",
    "shipments",
    "owner_view",
    "owner_view_edition",
    "owner_view_version",
)
TRANSACTION_VALUES: Final = ("position", *TRANSACTION_COLUMNS)
KEY_OF_TRANSACTION: Final = frozenset({"order_id", "position", "id"})
REPLACED_VALUES: Final = tuple(
    name for name in TRANSACTION_VALUES if name not in KEY_OF_TRANSACTION
)
"""What a save writes of a movement that is stored already."""
EVENT_VALUES: Final = (
    "order_id",
    "sequence",
    "at_us",
    "name",
    "data",
    "tell_at_us",
    "told_at_us",
)

MOST_ROWS: Final = 16
"""An order of more movements is rare; a statement takes 32,767 arguments, and each number of
rows is another statement."""

_order = itemgetter(*ORDER_VALUES)
_transaction = itemgetter(*TRANSACTION_VALUES)
_replaced = itemgetter(*REPLACED_VALUES)
_event = itemgetter(*EVENT_VALUES)


def order_values(row: dict[str, Any]) -> tuple[Any, ...]:
    """Of `ORDER_VALUES`; `row` is changed."""
    for name in ("items", "shipping_address", "shipments"):
        if row[name] is not None:
            row[name] = json_text(row[name])
    return tuple(_order(row))


def transaction_values(row: dict[str, Any]) -> tuple[Any, ...]:
    """Of `TRANSACTION_VALUES`."""
    return tuple(_transaction(row))


def replaced_values(row: dict[str, Any]) -> tuple[Any, ...]:
    """Of `REPLACED_VALUES`."""
    return tuple(_replaced(row))


def event_values(row: dict[str, Any]) -> tuple[Any, ...]:
    """Of `EVENT_VALUES`; `row` is changed."""
    row["data"] = json_text(row["data"])
    return tuple(_event(row))


def rows_arguments(
    rows: Sequence[dict[str, Any]], values: Callable[[dict[str, Any]], tuple[Any, ...]]
) -> list[Any]:
    """What `Places.rows` asks for: each value, or all rows as one JSON text if they are many."""
    if len(rows) > MOST_ROWS:
        return [json_text(rows)]
    return [value for row in rows for value in values(row)]


class Places:
    """Numbers the arguments of one statement, each with its type, in the order of their values."""

    def __init__(self) -> None:
        self._count = 0

    def of(self, *types: str) -> list[str]:
        """For values of these types."""
        first, self._count = self._count + 1, self._count + len(types)
        return [f"${number}::{kind}" for number, kind in enumerate(types, start=first)]

    def row(self, table: Table, columns: Sequence[str]) -> list[str]:
        """For the values of these columns."""
        return self.of(*(_kind(table, column) for column in columns))

    def rows(self, table: Table, columns: Sequence[str], *, count: int, alias: str) -> str:
        """For the `rows_arguments` of `count` rows of these columns, as a table."""
        if count > MOST_ROWS:
            (document,) = self.of("json")
            typed = ", ".join(f"{column} {_kind(table, column)}" for column in columns)
            return f"json_to_recordset({document}) AS {alias}({typed})"
        listed = ", ".join(f"({', '.join(self.row(table, columns))})" for _ in range(count))
        return f"(VALUES {listed}) AS {alias}({', '.join(columns)})"


_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


def _kind(table: Table, column: str) -> str:
    return table.c[column].type.compile(_DIALECT).split(" COLLATE", maxsplit=1)[0]
