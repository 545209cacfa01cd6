"""Brings a database to the newest schema."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from order_core.errors import StoreUnavailable
from order_sqlalchemy.database import with_driver
from order_sqlalchemy.revision import NEWEST, SHORT_WAITS, revision_of
from order_sqlalchemy.said import said

_log = logging.getLogger(__name__)

# Two that upgrade at once would collide. SQLite locks with the BEGIN below; PostgreSQL wants a
# number, any, the same in every process. Asked for again and again, not waited for: an index
# that is built beside the traffic waits for every statement that runs, even one that waits.
_TRY_LOCK: Final = text("SELECT pg_try_advisory_lock(7021915337)")
_LONGEST_TURN_SECONDS: Final = 3600.0

_KEPT_WAITING: Final = frozenset({"55P03", "40P01"})
"""Too long, or for somebody who waited for us: a deadlock, in which we gave way."""
_MOST_TRIES: Final = 60
_PAUSE_SECONDS: Final = 1.0


async def upgrade(url: str, *, to: str = "head") -> None:
    """Bring the database to the newest schema. Harmless if it is there.

    On SQLite it is one transaction. On PostgreSQL a service may go on meanwhile: no statement
    waits for a table longer than a second, with everybody else behind it; it is tried again
    instead. What was done before a failure stays, and the next upgrade goes on from there.

    Several processes may do it at once; the others wait for the first. `to` names an
    earlier revision to stop at.

    Raises:
        ValueError: `url` is not the address of a database that we know.
        StoreUnavailable: it could not be reached, or refused, or somebody kept a table locked.
    """
    if with_driver(url).get_backend_name() == "sqlite":
        async with _connected(url) as connection:
            # Begun before Alembic looks: whoever waited finds the work done.
            await connection.execute(text("SELECT 1"))
            await connection.run_sync(_upgrade, to)
            await connection.commit()
        return
    async with _connected(url) as lock:
        await lock.execution_options(isolation_level="AUTOCOMMIT")
        await _take_turn(lock)
        for tries_left in reversed(range(_MOST_TRIES)):
            if await _tried(url, to, last=not tries_left):
                return
            await asyncio.sleep(_PAUSE_SECONDS)


async def _take_turn(lock: AsyncConnection) -> None:
    # The lock ends with its connection, however that ends.
    waited = 0.0
    while not await lock.scalar(_TRY_LOCK):
        if waited >= _LONGEST_TURN_SECONDS:
            raise StoreUnavailable("Somebody else has been changing the schema for an hour.")
        await asyncio.sleep(_PAUSE_SECONDS / 5)
        waited += _PAUSE_SECONDS / 5


async def _tried(url: str, to: str, *, last: bool) -> bool:
    try:
        async with _connected(url) as connection:
            await connection.execute(text(SHORT_WAITS))
            await connection.commit()
            await connection.run_sync(_upgrade, to)
    except StoreUnavailable as error:
        if last or not _was_kept_waiting(error.__cause__):
            raise
        _log.info("a table is in use, and the schema is changed a little later")
        return False
    return True


def _was_kept_waiting(error: BaseException | None) -> bool:
    return isinstance(error, DBAPIError) and (
        getattr(error.orig, "sqlstate", None) in _KEPT_WAITING
    )


async def current(url: str) -> str | None:
    """The revision of the database, None if it is empty. Raises as `upgrade` does."""
    async with _connected(url) as connection:
        return await revision_of(connection)


async def needs_upgrade(url: str) -> bool:
    """Whether this version of the program wants another schema. Raises as `upgrade` does."""
    return await current(url) != NEWEST


def _upgrade(connection: Connection, to: str) -> None:
    # Here and not above: whoever only serves never needs it (see `revision`).
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "order_sqlalchemy:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


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
    failed = "There is no connection"
    try:
        async with engine.connect() as connection:
            failed = "The schema could not be brought up to date"
            yield connection
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(f"{failed}: {said(_of_driver(error))}.") from error
    finally:
        await engine.dispose()


def _of_driver(error: Exception) -> BaseException:
    """What the database said itself, out of what SQLAlchemy wraps around it."""
    wrapped = error.orig if isinstance(error, DBAPIError) else None
    return error if wrapped is None else wrapped.__cause__ or wrapped
