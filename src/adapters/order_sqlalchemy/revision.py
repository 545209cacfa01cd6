"""Which schema is there, and which this version of the program wants, without Alembic.

Every start asks this; loading Alembic for it took a sixth of the time.
"""

from typing import Final

from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

NEWEST: Final = "0011"
"""The last of `migrations/versions`; a test compares them."""

SHORT_WAITS: Final = "SET lock_timeout = '1s'"
"""While the schema changes: everybody who comes after a statement that waits for a table waits
with it."""


async def revision_of(connection: AsyncConnection) -> str | None:
    """The revision of the database, None if it is empty."""
    there = await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version"))
    if not there:
        return None
    found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
