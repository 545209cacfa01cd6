"""The clients of the embedded issuer, for the commands that add and remove them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from order_oauth import ClientBook
from order_sqlalchemy import open_database
from order_system import SystemClock
from order_wiring.schema import ensure_reachable, ensure_schema
from order_wiring.settings import Settings


@asynccontextmanager
async def client_book(settings: Settings) -> AsyncGenerator[ClientBook]:
    """Open until the end of the `async with`. It may be changed while the service runs.

    Raises:
        CannotStart: the database cannot be used.
    """
    await ensure_schema(settings)
    database = open_database(settings.database_url.get_secret_value(), pool_size=1)
    try:
        await ensure_reachable(database, settings)
        yield ClientBook(database, SystemClock())
    finally:
        await database.close()
