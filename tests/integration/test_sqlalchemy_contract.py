"""The databases keep what the ports promise."""

import pytest

from order_core.ports import CustomerData, Leftovers, OrderAudit
from order_memory.contracts import (
    CustomerDataContract,
    LeftoversContract,
    OrderAuditContract,
    OrderRepositoryContract,
    OutboxContract,
    Stores,
    WorkQueueContract,
)
from order_memory.contracts.views import VIEW, ViewSuite
from order_sqlalchemy import (
    Database,
    SqlCustomerData,
    SqlLeftovers,
    SqlOrderAudit,
    SqlOrders,
    SqlOutbox,
    SqlWorkQueue,
)

pytest_plugins = ["tests.integration.sqlalchemy_database"]


class _InSql:
    @pytest.fixture
    async def stores(self, database: Database) -> Stores:
        return Stores(SqlOrders(database, view=VIEW), SqlWorkQueue(database), SqlOutbox(database))


class TestSqlOrders(_InSql, OrderRepositoryContract):
    pass


class TestSqlOrdersThatKeepNoTexts(ViewSuite):
    @pytest.fixture
    async def stores(self, database: Database) -> Stores:
        return Stores(SqlOrders(database), SqlWorkQueue(database), SqlOutbox(database))


class TestSqlWorkQueue(_InSql, WorkQueueContract):
    pass


class TestSqlOutbox(_InSql, OutboxContract):
    pass


class TestSqlOrderAudit(_InSql, OrderAuditContract):
    @pytest.fixture
    async def audit(self, database: Database) -> OrderAudit:
        return SqlOrderAudit(database)


class TestSqlCustomerData(_InSql, CustomerDataContract):
    @pytest.fixture
    async def data(self, database: Database) -> CustomerData:
        return SqlCustomerData(database)


class TestSqlLeftovers(_InSql, LeftoversContract):
    @pytest.fixture
    async def leftovers(self, database: Database) -> Leftovers:
        return SqlLeftovers(database)
