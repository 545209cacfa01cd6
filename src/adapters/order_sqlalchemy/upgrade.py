"""Brings a database to the newest schema."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from order_core.errors import StoreUnavailable
from order_sqlalchemy.database import with_driver

# Two that upgrade at once would collide. SQLite locks with the BEGIN below; PostgreSQL wants
# a number, any, the same in every process.
_LOCK: Final = {
    "postgresql": "SELECT pg_advisory_xact_lock(7021915337)",
    "sqlite": "SELECT 1",
}


async def upgrade(url: str, *, to: str = "head") -> None:
    """Bring the database to the newest schema, in one transaction. Harmless if it is there.

    Several processes may do it at once; the others wait for the first. `to` names an
    earlier revision to stop at.

    Raises:
        ValueError: `url` is not the address of a database that we know.
        StoreUnavailable: it could not be reached, or refused; nothing has changed.
    """
    async with _connected(url) as connection:
        # Locked before Alembic looks: whoever waited finds the work done.
        await connection.execute(text(_LOCK[connection.dialect.name]))
        await connection.run_sync(_upgrade, to)
        await connection.commit()


async def current(url: str) -> str | None:
    """The revision of the database, None if it is empty. Raises as `upgrade` does."""
    async with _connected(url) as connection:
        return await connection.run_sync(_revision)


async def needs_upgrade(url: str) -> bool:
    """Whether this version of the program wants another schema. Raises as `upgrade` does."""
    return await current(url) != newest()


def newest() -> str | None:
    """The revision that this version of the program wants."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "order_sqlalchemy:migrations")
    return config


def _upgrade(connection: Connection, to: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[AsyncConnection]:
    address = with_driver(url)
    is_sqlite = address.get_backend_name() == "sqlite"
    engine = create_async_engine(
        address,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"isolation_level": None} if is_sqlite else {},
    )
    if is_sqlite:
        # The driver would commit after each CREATE TABLE, and leave half a schema behind.
        event.listen(
            engine.sync_engine,
            "begin",
            lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"),
        )
    try:
        async with engine.connect() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(f"The schema is as it was: {type(error).__name__}.") from error
    finally:
        await engine.dispose()
