"""What a save leaves behind, and what it answers, does not depend on who goes with it."""

# ruff: noqa: S608 - the names of the tables are ours

import asyncio
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import Table

from order_core.errors import OrderCoreError
from order_sqlalchemy import Database, open_database, postgresql_queue, upgrade
from order_sqlalchemy.mapping import microseconds
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.saving import Saving
from order_sqlalchemy.schema import metadata
from tests.integration.any_saves import AnySave, Example, examples
from tests.integration.postgres import PostgresServer

_EMPTY = f"TRUNCATE {', '.join(metadata.tables)}"
_STORED = ("stored", "stored, with its lease")


@dataclass(frozen=True)
class _Clock:
    """When the database was asked for the time, before the first batch and after each."""

    moments: Sequence[int]
    leases: Mapping[str, timedelta]
    """How long each lasts, by its token."""

    def without_moments(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        """The row, which tells of a moment of the database's own only in which batch it was."""
        match table:
            case "orders" if row["lease_token"]:
                began = row["lease_until_us"] - microseconds(self.leases[row["lease_token"]])
                return row | {"lease_until_us": self._batch(began)}
            case "order_fingerprints":
                return row | {"created_at_us": self._batch(row["created_at_us"])}
            # Of what happened in the future, by the clock of whoever stored it.
            case "order_events" if row["tell_at_us"] not in {None, row["at_us"]}:
                return row | {"tell_at_us": self._batch(row["tell_at_us"])}
        return row

    def _batch(self, us: int) -> str:
        assert self.moments[0] <= us <= self.moments[-1], "it was not set while this was played"
        return f"batch {bisect(self.moments, us)}"


@dataclass(frozen=True)
class Played:
    """What became of an example on one database."""

    answers: list[list[str]]
    tables: dict[str, list[dict[str, Any]]]


async def _played(url: str, example: Example, *, together: bool) -> Played:
    # A new queue for each: its companies are smaller after a refusal.
    database = open_database(url)
    try:
        await database.store.change(_EMPTY)
        moments = [await _now(database)]
        answers: list[list[str]] = []
        for batch in (*example.early, *example.late):
            savings = [await _as_sent(database, each) for each in batch]
            if together:
                told = await asyncio.gather(*(_answer(database, saving) for saving in savings))
            else:
                told = [await _answer(database, saving) for saving in savings]
            if together and len(answers) < len(example.early):
                await _see_that_they_went_together(database, savings[1:], told[1:])
            answers.append(told)
            moments.append(await _now(database))
        clock = _Clock(moments, example.leases)
        tables = {
            name: [clock.without_moments(name, row) for row in await _rows(database, table)]
            for name, table in metadata.tables.items()
        }
    finally:
        await database.close()
    return Played(answers, tables)


async def _as_sent(database: Database, save: AnySave) -> Saving:
    if save.saving.is_new:
        return save.saving
    statement = "SELECT version, event_count FROM orders WHERE id = $1"
    [(version, event_count)] = await database.store.rows(statement, save.saving.order.id)
    return save.now(version, event_count)


async def _answer(database: Database, saving: Saving) -> str:
    try:
        return _STORED[await database.store.save(saving)]
    except OrderCoreError as error:
        return f"{type(error).__name__}: {error}"


async def _see_that_they_went_together(
    database: Database, savings: Sequence[Saving], told: Sequence[str]
) -> None:
    stored = [saving for saving, answer in zip(savings, told, strict=True) if answer in _STORED]
    [(transactions,)] = await database.store.rows(
        "SELECT count(DISTINCT xmin::text) FROM orders WHERE id = ANY($1)",
        [saving.order.id for saving in stored],
    )
    shapes = {Shape.of(saving).in_company() for saving in stored}
    assert transactions == len(shapes), "those of one shape are one transaction, if none is refused"


async def _now(database: Database) -> int:
    [(us,)] = await database.store.rows(database.store.statements.now)
    return int(us)


async def _rows(database: Database, table: Table) -> list[dict[str, Any]]:
    key = ", ".join(column.name for column in table.primary_key)
    return [dict(row) for row in await database.store.rows(f"SELECT * FROM {table} ORDER BY {key}")]


@pytest.fixture(scope="module")
def urls(postgres_server: PostgresServer) -> Iterator[tuple[str, str]]:
    """Two databases with the same schema."""
    first = postgres_server.create_database()
    asyncio.run(upgrade(postgres_server.url(first)))
    second = postgres_server.create_database(template=first)
    with pytest.MonkeyPatch.context() as patch:
        # A slow machine splits no company.
        patch.setattr(postgresql_queue, "PATIENCE_SECONDS", 60)
        yield postgres_server.url(first), postgres_server.url(second)
    for name in (first, second):
        postgres_server.drop_database(name)


def _differences(alone: Played, in_company: Played) -> Iterator[str]:
    for table, rows in alone.tables.items():
        others = in_company.tables[table]
        if len(rows) != len(others):
            yield f"{table}: {len(rows)} rows alone, {len(others)} in company"
        for row, other in zip(rows, others, strict=False):
            for name, value in row.items():
                if value != other[name]:
                    yield f"{table}.{name}: {value!r} alone, {other[name]!r} in company"


# To make a failure smaller takes minutes, and it names its columns as it is.
@given(example=examples())
@settings(
    max_examples=20,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_saves_leave_the_same_rows_and_hear_the_same_alone_and_in_company(
    urls: tuple[str, str], example: Example
) -> None:
    async def on_both() -> tuple[Played, Played]:
        return (
            await _played(urls[0], example, together=False),
            await _played(urls[1], example, together=True),
        )

    alone, in_company = asyncio.run(on_both())

    assert in_company.answers == alone.answers
    assert list(_differences(alone, in_company)) == []
