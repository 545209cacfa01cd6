"""PostgreSQL for those who ask: one server for each run, one database for each test."""

from collections.abc import Iterator

import pytest

# Test files import from it before they name it as a plugin, which pytest warns of otherwise.
pytest.register_assert_rewrite("tests.integration.stripe_desk")

from tests.integration.postgres import PostgresServer  # noqa: E402


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Shared by all tests. One that stops or kills it starts it again before it ends."""
    server = PostgresServer()
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database that no other test sees; it is gone afterwards."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)
