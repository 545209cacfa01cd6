"""The databases keep what the ports promise."""

import pytest

from order_memory.contracts import (
    OrderRepositoryContract,
    OutboxContract,
    Stores,
    WorkQueueContract,
)
from order_sqlalchemy import Database, SqlOrders, SqlOutbox, SqlWorkQueue

pytest_plugins = ["tests.integration.sqlalchemy_database"]


class _InSql:
    @pytest.fixture
    async def stores(self, database: Database) -> Stores:
        return Stores(SqlOrders(database), SqlWorkQueue(database), SqlOutbox(database))


class TestSqlOrders(_InSql, OrderRepositoryContract):
    pass


class TestSqlWorkQueue(_InSql, WorkQueueContract):
    pass


class TestSqlOutbox(_InSql, OutboxContract):
    pass
