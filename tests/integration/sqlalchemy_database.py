"""Fixtures: each test that asks for `database` runs on SQLite and on PostgreSQL."""

# ruff: noqa: S608 - the names of the tables are ours

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from order_sqlalchemy import Database, open_database, upgrade
from order_sqlalchemy.schema import metadata
from tests.integration.postgres import PostgresServer

# A connection that a failed test has left behind would keep the tables locked.
_EMPTY = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid(); "
    f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind_of_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_database_url(
    kind_of_database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> str:
    """The address of a database without tables."""
    if kind_of_database == "sqlite":
        return f"sqlite:///{tmp_path / 'orders.db'}"
    return str(request.getfixturevalue("postgres_url"))


# Most tests want the newest schema and do not care how it came about. Making it for each of them
# takes longer than the tests do; the migrations have tests of their own, on empty databases.


@pytest.fixture(scope="session")
def sqlite_with_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to copy: the newest schema and no orders."""
    file = tmp_path_factory.mktemp("schema") / "orders.db"
    asyncio.run(upgrade(f"sqlite:///{file}"))
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    return file


@pytest.fixture(scope="session")
def postgres_with_schema(postgres_server: PostgresServer) -> str:
    """The name of a database with the newest schema, for one test after the other."""
    name = postgres_server.create_database()
    asyncio.run(upgrade(postgres_server.url(name)))
    return name


@pytest.fixture
def database_url(
    kind_of_database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """The address of what `database` has open: the newest schema and no orders."""
    if kind_of_database == "sqlite":
        template: Path = request.getfixturevalue("sqlite_with_schema")
        yield f"sqlite:///{shutil.copy(template, tmp_path / 'orders.db')}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name: str = request.getfixturevalue("postgres_with_schema")
    yield server.url(name)
    server.execute(_EMPTY, database=name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with the newest schema and no orders."""
    database = open_database(database_url)
    try:
        yield database
    finally:
        await database.close()
