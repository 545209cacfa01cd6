"""What is kept of a customer, over the configured database alone: no provider is asked."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from order_core.use_cases import EraseCustomer, ExportCustomer
from order_sqlalchemy import SqlCustomerData, open_database
from order_system import SystemClock
from order_wiring.schema import refuse_other_schema
from order_wiring.settings import Settings


@dataclass(frozen=True, slots=True)
class Customers:
    """What `order-core customer` works with."""

    export: ExportCustomer
    erase: EraseCustomer


@asynccontextmanager
async def customers(settings: Settings, *, read_only: bool) -> AsyncGenerator[Customers]:
    """The use cases, until the end of the `async with`. Nothing is made or migrated.

    Raises:
        CannotStart: the database cannot be used, or has another schema than this version's.
    """
    database = open_database(
        settings.database_url.get_secret_value(), pool_size=1, read_only=read_only
    )
    try:
        await refuse_other_schema(database)
        data = SqlCustomerData(database)
        yield Customers(ExportCustomer(data), EraseCustomer(data, SystemClock()))
    finally:
        await database.close()
