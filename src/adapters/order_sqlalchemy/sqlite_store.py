"""SQLite behind the store: a transaction and a thread hop for each call, or for several together.

One connection writes; waiting for it is fairer than letting several fight for the file's
lock. The readers see the last commit and wait for nobody (write-ahead log).
"""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

import sqlite3
import time
from collections.abc import Coroutine
from typing import Any, Final, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from order_core.errors import CommitUnknown, StoreUnavailable
from order_sqlalchemy import sqlite_claims, sqlite_save
from order_sqlalchemy.connections import Connections
from order_sqlalchemy.mapping import TRANSACTION_COLUMNS, Row
from order_sqlalchemy.said import said
from order_sqlalchemy.saving import Saving
from order_sqlalchemy.sqlite_thread import NeverBegun, StillRunning, on_its_thread
from order_sqlalchemy.sqlite_transaction import CommitFailed, Work
from order_sqlalchemy.sqlite_writes import Writes
from order_sqlalchemy.statements import Statements
from order_sqlalchemy.store import Timeouts

_READERS: Final = 4

_TRANSACTIONS: Final = f"""
    (SELECT json_group_array(json(line)) FROM (
        SELECT json_array({", ".join(f"t.{name}" for name in TRANSACTION_COLUMNS)}) AS line
        FROM payment_transactions t WHERE t.order_id = o.id ORDER BY t.position))"""

_EVENTS: Final = """
    (SELECT json_group_array(json(line)) FROM (
        SELECT json_array(e.sequence, e.at_us, e.name, e.data) AS line
        FROM order_events e WHERE e.order_id = o.id ORDER BY e.sequence))"""

T = TypeVar("T")


class SqliteStore:
    """A `Store` in an SQLite file.

    `read_only` neither makes the file nor asks for the right to write it.
    """

    companies_refused: Final = 0

    def __init__(self, url: URL, *, timeouts: Timeouts, read_only: bool = False) -> None:
        self._seconds = timeouts.statement
        self.writer: Final = _connections(
            url, 1, timeouts, query_only=read_only, read_only=read_only
        )
        self._writes: Final = Writes(
            self.writer, wait_seconds=timeouts.pool, run_seconds=timeouts.statement
        )
        self._readers: Final = _connections(
            url, _READERS, timeouts, query_only=True, read_only=read_only
        )
        self.statements: Final = Statements(
            transactions=_TRANSACTIONS, events=_EVENTS, now="now_us()", texts="json_each($2)"
        )

    async def rows(self, statement: str, /, *arguments: object) -> list[Row]:
        sql = _numbered(statement)

        def read(connection: sqlite3.Connection) -> list[Row]:
            return connection.execute(sql, arguments).fetchall()

        return await self._answer(self._read(read))

    async def change(self, statement: str, /, *arguments: object) -> list[Row]:
        sql = _numbered(statement)

        def write(connection: sqlite3.Connection) -> list[Row]:
            return connection.execute(sql, arguments).fetchall()

        return await self._answer(self._writes.run(write))

    async def save(self, saving: Saving, /) -> bool:
        asked_at_us = _now_us()

        def write(connection: sqlite3.Connection) -> bool:
            return sqlite_save.save(connection, saving, asked_at_us=asked_at_us)

        try:
            return await self._writes.run(write)
        except sqlite3.IntegrityError as error:
            refused = sqlite_save.meaning(error, saving)
            if refused is error:
                raise _nothing_stored(error) from error
            raise refused from error
        except (CommitFailed, StillRunning) as error:
            raise CommitUnknown(f"The database did not confirm the save: {said(error)}.") from error
        except _CERTAIN as error:
            raise _nothing_stored(error) from error

    async def claim_orders(self, limit: int, hold_us: int, tokens: tuple[str, ...], /) -> list[Row]:
        def claim(connection: sqlite3.Connection) -> list[Row]:
            return sqlite_claims.claim_orders(connection, self.statements, limit, hold_us, tokens)

        return await self._answer(self._writes.run(claim))

    async def claim_notices(self, limit: int, hold_us: int, /) -> list[Row]:
        def claim(connection: sqlite3.Connection) -> list[Row]:
            return sqlite_claims.claim_notices(connection, self.statements, limit, hold_us)

        return await self._answer(self._writes.run(claim))

    async def close(self) -> None:
        await self._writes.close()
        await self._readers.close()
        await self.writer.close()

    async def _answer(self, running: Coroutine[Any, Any, T]) -> T:
        try:
            return await running
        except (*_CERTAIN, CommitFailed, StillRunning) as error:
            raise StoreUnavailable(f"The database did not answer: {said(error)}.") from error

    async def _read(self, work: Work[T]) -> T:
        pooled = await self._readers.take()
        connection: Any = pooled.driver_connection
        try:
            # Whatever becomes of this call, its connection stays good: the thread ends each
            # statement before it takes the next one.
            return await on_its_thread(connection, work, seconds=self._seconds)
        finally:
            self._readers.give_back(pooled)


_CERTAIN: Final = (sqlite3.Error, NeverBegun, ValueError, OverflowError)


def _nothing_stored(error: BaseException) -> StoreUnavailable:
    return StoreUnavailable(f"The database stored nothing: {said(error)}.")


def _numbered(statement: str) -> str:
    return statement.replace("$", "?")


def _connections(
    url: URL, size: int, timeouts: Timeouts, *, query_only: bool, read_only: bool
) -> Connections:
    engine = create_async_engine(
        _not_to_be_written(url) if read_only else url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=timeouts.pool,
        pool_reset_on_return=None,
        hide_parameters=True,
        connect_args={"timeout": timeouts.connect, "isolation_level": None},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy has no type
        # The workers of one file share a machine, and so its clock.
        connection.create_function("now_us", 0, _now_us)
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {round(timeouts.statement * 1000)}",
            # A file that is only read is taken as it is.
            *(() if read_only else ("journal_mode = WAL",)),
            # What was answered must survive a power cut; NORMAL may lose the last commits.
            "synchronous = FULL",
            "foreign_keys = ON",
            f"query_only = {'ON' if query_only else 'OFF'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return Connections(engine, size=size, seconds=timeouts.pool)


def _not_to_be_written(url: URL) -> URL:
    return url.set(database=f"file:{quote(url.database or '')}").update_query_dict(
        {"mode": "ro", "uri": "true"}
    )


def _now_us() -> int:
    return time.time_ns() // 1000
