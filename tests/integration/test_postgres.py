"""The server that the other tests rely on."""

import asyncpg
import pytest

from tests.integration.postgres import PostgresServer


async def _connect(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(url.replace("+asyncpg", ""))


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_each_test_gets_an_empty_database(postgres_url: str, turn: str) -> None:
    connection = await _connect(postgres_url)
    try:
        await connection.execute("CREATE TABLE left_behind (turn text)")
        await connection.execute("INSERT INTO left_behind VALUES ($1)", turn)

        assert await connection.fetchval("SELECT string_agg(turn, ',') FROM left_behind") == turn
    finally:
        await connection.close()


def test_what_was_committed_survives_a_killed_server(postgres_server: PostgresServer) -> None:
    database = postgres_server.create_database()
    postgres_server.execute("CREATE TABLE kept AS SELECT 4711 AS number", database=database)

    postgres_server.kill()
    postgres_server.start()

    assert postgres_server.execute("SELECT number FROM kept", database=database) == "4711"
    postgres_server.drop_database(database)


def test_a_database_can_be_cloned_from_a_prepared_one(postgres_server: PostgresServer) -> None:
    prepared = postgres_server.create_database()
    postgres_server.execute("CREATE TABLE ready AS SELECT 'yes' AS answer", database=prepared)

    clone = postgres_server.create_database(template=prepared)

    assert postgres_server.execute("SELECT answer FROM ready", database=clone) == "yes"
    postgres_server.drop_database(clone)
    postgres_server.drop_database(prepared)
