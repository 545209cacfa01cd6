"""Fixture: each test that asks for `desk` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from order_sqlalchemy import Database
from tests.integration.oauth_issuer import Desk, desk_over

pytest_plugins = ["tests.integration.sqlalchemy_database"]


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    async for each in desk_over(database):
        yield each
