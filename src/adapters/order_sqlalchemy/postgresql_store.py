"""PostgreSQL behind the store: one statement, one round trip, one transaction for each call.

Saves that wait at the same time share one (`postgresql_queue`).

SQLAlchemy keeps the connections. The statements run on asyncpg's own connection: it prepares
each of them once, and needs no BEGIN and COMMIT around a single one.
"""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy import URL, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from order_core.errors import (
    CommitUnknown,
    ConcurrentUpdate,
    OrderCoreError,
    PossibleDuplicate,
    StoreUnavailable,
)
from order_sqlalchemy import postgresql_claims
from order_sqlalchemy.connections import Connections
from order_sqlalchemy.mapping import TRANSACTION_COLUMNS, Row
from order_sqlalchemy.postgresql_clock import ServerClock, own_us
from order_sqlalchemy.postgresql_queue import Door, SaveQueue
from order_sqlalchemy.postgresql_rows import Values
from order_sqlalchemy.postgresql_save import NOW, statement_of, values_of
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.refusals import possible_duplicate, refusal
from order_sqlalchemy.said import said
from order_sqlalchemy.saving import Saving
from order_sqlalchemy.statements import Statements
from order_sqlalchemy.store import Timeouts

_TRANSACTIONS: Final = f"""
    COALESCE((
        SELECT json_agg(json_build_array({", ".join(f"t.{name}" for name in TRANSACTION_COLUMNS)})
                        ORDER BY t.position)
        FROM payment_transactions t WHERE t.order_id = o.id
    )::text, '[]')"""

_EVENTS: Final = """
    COALESCE((
        SELECT json_agg(json_build_array(e.sequence, e.at_us, e.name, e.data::text)
                        ORDER BY e.sequence)
        FROM order_events e WHERE e.order_id = o.id
    )::text, '[]')"""

# The server gives up first, and says so: then it is certain that nothing was stored.
_GRACE_SECONDS: Final = 1.0

# Time-outs are OSErrors too. The internal error is what asyncpg says of a connection whose
# server took its leave unasked.
_CONNECTION_LOST: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

# Class 08: the connection broke. 57: the server or a person ended the session, perhaps between
# the commit and its confirmation; 57014 is the exception, a statement that was cancelled.
_NO_ANSWER: Final = ("08", "57")
_CANCELLED_STATEMENT: Final = "57014"
_COMPLETION_UNKNOWN: Final = "40003"
# Also what a proxy says that lost the server, perhaps after the commit.
_OF_SYSTEMS: Final = ("58", "XX")
_READ_ONLY: Final = "25006"

_HOLDS: Final = 1
_NOW: Final = 2
_LOCKS_OF_A_STATEMENT: Final = 4

# A table looks small to PostgreSQL until it is analyzed. To save a company of orders it would read
# the whole of it, and keep that plan while the table grows.
_BY_INDEX_ALONE: Final = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


class PostgresqlStore:
    """A `Store` in a PostgreSQL database.

    `read_only` makes the server refuse to change anything, whatever the role may do; each
    statement then is a transaction READ ONLY at REPEATABLE READ.
    """

    def __init__(
        self, url: URL, *, pool_size: int, timeouts: Timeouts, read_only: bool = False
    ) -> None:
        self._timeout = timeouts.statement + _GRACE_SECONDS
        self._pool_size = pool_size
        self.engine: Final[AsyncEngine] = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeouts.pool,
            # Nothing to reset: each statement is a transaction of its own.
            pool_reset_on_return=None,
            json_deserializer=str,
            # Or an error of its own would quote what was to be stored.
            hide_parameters=True,
            connect_args={
                "timeout": timeouts.connect,
                "command_timeout": self._timeout,
                "max_cached_statement_lifetime": 0,
                # A save of many movements has a long one.
                "max_cacheable_statement_size": 0,
                "server_settings": {
                    "application_name": "order-core",
                    "default_transaction_isolation": (
                        "repeatable read" if read_only else "read committed"
                    ),
                    "default_transaction_read_only": "on" if read_only else "off",
                    "statement_timeout": str(round(timeouts.statement * 1000)),
                    # Less, so that those who are saved with whoever waits for a lock, which only
                    # a person at a console holds for long, are saved without him in time.
                    "lock_timeout": str(round(timeouts.statement * 1000 / _LOCKS_OF_A_STATEMENT)),
                    # Compiling a statement takes longer than running it.
                    "jit": "off",
                    # An audit does read whole tables.
                    **({} if read_only else _BY_INDEX_ALONE),
                },
            },
        )
        self.connections: Final = Connections(
            self.engine, size=pool_size, seconds=timeouts.pool, is_open=_is_open
        )
        self.statements: Final = Statements(
            transactions=_TRANSACTIONS,
            events=_EVENTS,
            now=NOW,
            texts="json_array_elements_text($2::json) AS texts(value)",
        )
        self._claim_orders = postgresql_claims.claim_orders(self.statements)
        self._claim_notices = postgresql_claims.claim_notices(self.statements)
        door = Door(self._connection, self.connections.give_back, self._save, _stored_nothing)
        # The fourth quarter of the connections is for those who read.
        most_turns = max(1, pool_size * 3 // 4)
        self._clock = ServerClock()
        self._saves = SaveQueue(door, most_turns=most_turns, seconds=timeouts.pool)

    @property
    def companies_refused(self) -> int:
        return self._saves.companies_refused

    async def rows(self, statement: str, /, *arguments: object) -> list[Row]:
        try:
            return await self._fetch_again(statement, arguments)
        except (asyncpg.PostgresError, *_CONNECTION_LOST, ValueError) as error:
            raise StoreUnavailable(f"The database did not answer: {said(error)}.") from error

    async def _fetch_again(self, statement: str, arguments: tuple[Any, ...]) -> list[Row]:
        # A server that was restarted leaves dead connections behind, and some of them are
        # found dead only when they are used. A claim that is asked twice wastes a lease.
        for _ in range(self._pool_size):
            try:
                return await self._fetch(statement, arguments)
            except TimeoutError:
                raise
            except _CONNECTION_LOST:
                continue
            except asyncpg.PostgresError as error:
                if not _session_ended(error):
                    raise
        return await self._fetch(statement, arguments)

    async def change(self, statement: str, /, *arguments: object) -> list[Row]:
        try:
            return await self._fetch(statement, arguments)
        except (asyncpg.PostgresError, *_CONNECTION_LOST, ValueError) as error:
            raise StoreUnavailable(f"The database did not answer: {said(error)}.") from error

    async def save(self, saving: Saving, /) -> bool:
        shape, order_id = Shape.of(saving), saving.order.id
        try:
            values = values_of(saving, shape, asked_at_us=await self._asked_at_us(shape))
            stored = await self._saves.row(shape, order_id, values)
        except asyncpg.PostgresError as error:
            raise self._meaning(error, saving) from error
        except ValueError as error:
            raise StoreUnavailable(f"The save could not be written down: {said(error)}.") from error
        except _CONNECTION_LOST as error:
            raise CommitUnknown(f"The database did not confirm the save: {said(error)}.") from error
        if stored:
            self._clock.heard(stored[_NOW])
            return bool(stored[_HOLDS])
        raise self._double_click(saving) if saving.is_new else ConcurrentUpdate(order_id)

    async def _asked_at_us(self, shape: Shape) -> int | None:
        """What the server's clock shows now, at the least, if a click is to be timed by it."""
        if not shape.is_guarded:
            return None
        asked_at_us = own_us()
        if not self._clock.is_known:
            [(now_us,)] = await self.rows(self.statements.now)
            self._clock.heard(now_us)
        return self._clock.at_least_us(asked_at_us)

    def _double_click(self, saving: Saving) -> PossibleDuplicate:
        # Or the server's clock was set forward since, or its answer came late, and this seems to be
        # asked for earlier than it was. This one stays refused: what has changed may have done so
        # while it was under way.
        self._clock.doubt()
        return possible_duplicate(saving)

    def _meaning(self, error: asyncpg.PostgresError, saving: Saving) -> OrderCoreError:
        state = error.sqlstate or ""
        if _commit_is_unknown(error):
            return CommitUnknown(f"The database did not confirm the save: {said(error)}.")
        if state.startswith("23"):
            if error.constraint_name == "fk_idempotency_records_order" and saving.guard:
                # See `statement_of`: the guard admitted no order.
                return self._double_click(saving)
            if refused := refusal(error.constraint_name, saving):
                return refused
        return StoreUnavailable(f"The database stored nothing: {said(error)}.")

    async def claim_orders(self, limit: int, hold_us: int, tokens: tuple[str, ...], /) -> list[Row]:
        claimed = await self.rows(self._claim_orders, limit, hold_us, list(tokens))
        claimed.sort(key=lambda row: int(row[postgresql_claims.ORDER_OF_CLAIMS]))
        return [row[1:] for row in map(tuple, claimed)]

    async def claim_notices(self, limit: int, hold_us: int, /) -> list[Row]:
        return await self.rows(self._claim_notices, limit, hold_us)

    async def close(self) -> None:
        await self._saves.close()
        await self.connections.close()

    async def _save(
        self, pooled: PoolProxiedConnection, shape: Shape, several: Sequence[Values]
    ) -> list[Row]:
        statement = statement_of(shape)
        try:
            arguments = statement.arguments(Values.together(several))
        except Exception:
            self.connections.give_back(pooled)
            raise
        return await self._fetch_by(pooled, statement.text, arguments)

    async def _fetch(self, statement: str, arguments: Sequence[Any]) -> list[Row]:
        return await self._fetch_by(await self._connection(), statement, arguments)

    async def _connection(self) -> PoolProxiedConnection:
        try:
            return await self.connections.take()
        except (asyncpg.PostgresError, *_CONNECTION_LOST) as error:
            raise StoreUnavailable(f"There is no connection: {said(error)}.") from error

    async def _fetch_by(
        self, pooled: PoolProxiedConnection, statement: str, arguments: Sequence[Any]
    ) -> list[Row]:
        connection: asyncpg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
        usable = False
        try:
            rows: list[Row] = await connection.fetch(statement, *arguments, timeout=self._timeout)
            usable = True
        except asyncpg.PostgresError as error:
            # After any other error, a time-out or a cancelled task, an answer may still be on
            # its way, which the next call would take for its own.
            usable = error.sqlstate[:2] not in _NO_ANSWER and error.sqlstate != _READ_ONLY
            raise
        else:
            return rows
        finally:
            self.connections.give_back(pooled, usable=usable)


def _is_open(pooled: PoolProxiedConnection) -> bool:
    # Costs no round trip: asyncpg learns of a closed connection by itself.
    driver: asyncpg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
    return not driver.is_closed()


def _stored_nothing(error: Exception) -> bool:
    # A value that cannot be written down is found while it is, before anything is committed.
    if isinstance(error, asyncpg.PostgresError):
        return not _commit_is_unknown(error)
    return isinstance(error, ValueError)


def _commit_is_unknown(error: asyncpg.PostgresError) -> bool:
    state = error.sqlstate or ""
    # What the driver says itself, before it sends anything, has neither. PostgreSQL says both, and
    # of its errors where in its program they arose.
    grave, in_english = getattr(error, "severity", None), getattr(error, "severity_en", None)
    is_error = in_english == "ERROR" or (grave is None and in_english is None)
    has_place = bool(getattr(error, "server_source_filename", None))
    by_another = not is_error or (state.startswith(_OF_SYSTEMS) and not has_place)
    return by_another or state == _COMPLETION_UNKNOWN or _session_ended(error)


def _session_ended(error: asyncpg.PostgresError) -> bool:
    state = error.sqlstate or ""
    return state.startswith(_NO_ANSWER) and state != _CANCELLED_STATEMENT
