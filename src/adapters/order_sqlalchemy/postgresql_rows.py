"""Orders, movements and events as arguments of a statement on PostgreSQL."""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import JSON, Table
from sqlalchemy.dialects import postgresql

from order_sqlalchemy import schema
from order_sqlalchemy.mapping import TRANSACTION_COLUMNS, json_text
from order_sqlalchemy.saving import Saving

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

Rows = list[dict[str, Any]]


class Values(NamedTuple):
    """What one save gives to its statement, and what a company gives: then of all of them."""

    orders: Rows
    """Each the `ORDER_VALUES` of an order, and what its shape has beside them."""
    transactions: Rows
    events: Rows

    @classmethod
    def of(cls, saving: Saving, beside: dict[str, Any]) -> "Values":
        """Of one save."""
        order = saving.order_row()
        for name in ("items", "shipping_address", "shipments"):
            if order[name] is not None:
                order[name] = json_text(order[name])
        events = saving.event_rows()
        for event in events:
            event["data"] = json_text(event["data"])
        order |= beside
        return cls([order], saving.transaction_rows(), events)

    @classmethod
    def together(cls, several: Sequence["Values"]) -> "Values":
        """Of all these saves."""
        return cls(
            [row for each in several for row in each.orders],
            [row for each in several for row in each.transactions],
            [row for each in several for row in each.events],
        )


class Places:
    """Numbers the arguments of one statement, in the order in which they are given."""

    def __init__(self) -> None:
        self._count = 0

    def relation(self, name: str, kinds: dict[str, str], *, rows: int | None) -> "Relation":
        """For so many rows of these columns, each with its type; None: for any number."""
        relation = Relation(name, self._count + 1, kinds, rows)
        self._count += 1 if rows is None else len(kinds) * rows
        return relation


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows of arguments, to be read from in a statement as often as one likes.

    So many rows are VALUES with an argument for each value: PostgreSQL puts the values of a single
    row where they are needed, and joins nothing. Any number of rows is one argument, a JSON text,
    which the statement reads once: to write an array for each column takes the driver longer than
    to read the text takes PostgreSQL.
    """

    name: str
    first: int
    kinds: dict[str, str]
    rows: int | None

    def read(self) -> Iterator[str]:
        """The part of the statement that it needs before all others, if it needs one."""
        if self.rows is None:
            columns = ", ".join(f"{name} {kind}" for name, kind in self.kinds.items())
            yield f"""{self.name} AS MATERIALIZED (
                SELECT * FROM json_to_recordset(${self.first}::json) AS r({columns})
            )"""

    def named(self, alias: str, columns: Sequence[str]) -> str:
        """These columns of it."""
        if self.rows is None:
            return f"{self.name} AS {alias}"
        of = [list(self.kinds).index(name) for name in columns]
        listed = []
        for row in range(self.rows):
            start = self.first + row * len(self.kinds)
            values = [f"${start + c}::{self.kinds[n]}" for c, n in zip(of, columns, strict=True)]
            listed.append(f"({', '.join(values)})")
        return f"(VALUES {', '.join(listed)}) AS {alias}({', '.join(columns)})"

    def arguments(self, rows: Rows) -> list[Any]:
        """Those that hold `rows`."""
        if self.rows is None:
            # What is left out is NULL there. A third of a movement is, and each name takes reading.
            given = [{n: value for n, value in row.items() if value is not None} for row in rows]
            return [json_text(given)]
        return [row[name] for row in rows for name in self.kinds]


_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


def kinds_of(table: Table, columns: Sequence[str]) -> dict[str, str]:
    """The types that arguments for these columns have; JSON comes as text."""
    return {name: _kind(table, name) for name in columns}


def _kind(table: Table, column: str) -> str:
    kind = table.c[column].type
    if isinstance(kind, JSON):
        return "TEXT"
    return kind.compile(_DIALECT).split(" COLLATE", maxsplit=1)[0]


def selected(table: Table, alias: str, columns: Sequence[str]) -> list[str]:
    """The columns of the relation `alias`, as `table` wants them."""
    casts = {name: "::json" if isinstance(table.c[name].type, JSON) else "" for name in columns}
    return [f"{alias}.{name}{cast}" for name, cast in casts.items()]


ORDER_KINDS: Final = kinds_of(schema.orders, ORDER_VALUES)
TRANSACTION_KINDS: Final = kinds_of(schema.payment_transactions, TRANSACTION_VALUES)
EVENT_KINDS: Final = kinds_of(schema.order_events, EVENT_VALUES)
