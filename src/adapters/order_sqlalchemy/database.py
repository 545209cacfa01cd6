"""One database, opened for the repository, the work queue and the outbox together."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from order_core.errors import StoreUnavailable
from order_sqlalchemy.store import Store, Timeouts

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Figures:
    """How much is unfinished, for the metrics."""

    open_charges: int
    oldest_open_charge_seconds: float
    """Age of the oldest open charge; 0 if none is open."""
    unknown_outcomes: int
    late_money: int
    """How often money arrived for an order that no longer wanted it."""
    notices_waiting: int


class Database:
    """An open database with its connections. `close` it when nobody uses it any more."""

    def __init__(self, store: Store) -> None:
        self.store: Final = store

    async def ping(self) -> None:
        """Come back if the database answers.

        Raises:
            StoreUnavailable: it does not.
        """
        await self.store.rows("SELECT 1")

    async def now(self) -> datetime:
        """The database's own clock, in UTC: a `StoreClock`. That of SQLite is this machine's.

        Raises:
            StoreUnavailable: it does not answer.
        """
        [(microseconds,)] = await self.store.rows(self.store.statements.now)
        return _EPOCH + timedelta(microseconds=microseconds)

    async def revision(self) -> str | None:
        """Which schema is there, None if none is. It is only read.

        Raises:
            StoreUnavailable: it cannot be.
        """
        try:
            [(found,)] = await self.store.rows("SELECT version_num FROM alembic_version")
        except StoreUnavailable as error:
            if _lacks_table(error.__cause__):
                return None
            raise
        return str(found)

    async def figures(self) -> Figures:
        """Raises StoreUnavailable."""
        [(open_charges, oldest_us, unknown, late, waiting)] = await self.store.rows(
            self.store.statements.figures
        )
        oldest_seconds = max(0.0, (oldest_us or 0) / 1_000_000)
        return Figures(open_charges, oldest_seconds, unknown, late, waiting)

    @property
    def companies_refused(self) -> int:
        """How often saves that went together were refused together, and then went alone.

        Since it was opened, and never on SQLite, which takes back the refused one alone.
        """
        return self.store.companies_refused

    async def close(self) -> None:
        await self.store.close()


def _lacks_table(error: BaseException | None) -> bool:
    # asyncpg may not be installed, so its errors are known by what they have.
    return getattr(error, "sqlstate", None) == "42P01" or (
        isinstance(error, sqlite3.OperationalError) and str(error).startswith("no such table")
    )


def open_database(
    url: str,
    *,
    pool_size: int = 10,
    timeouts: Timeouts | None = None,
    read_only: bool = False,
) -> Database:
    """The database at `url`: `sqlite:///FILE` or `postgresql://...`. Connects on first use.

    `pool_size` is the number of connections to PostgreSQL. SQLite has one that writes, and
    a few that read. `read_only` refuses every change, and makes no file.

    Raises:
        ValueError: the address is not one of these.
    """
    address = with_driver(url)
    chosen = timeouts or Timeouts()
    # Each database needs its own driver only, and the other one may not be installed.
    if address.get_backend_name() == "postgresql":
        from order_sqlalchemy.postgresql_store import PostgresqlStore  # noqa: PLC0415

        return Database(
            PostgresqlStore(address, pool_size=pool_size, timeouts=chosen, read_only=read_only)
        )
    from order_sqlalchemy.sqlite_store import SqliteStore  # noqa: PLC0415

    return Database(SqliteStore(address, timeouts=chosen, read_only=read_only))


def with_driver(url: str) -> URL:
    """The address with the asynchronous driver that we use.

    Raises:
        ValueError: it is the address of another kind of database, or of none.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        # Without the address: it may hold a password.
        raise ValueError("The database's address is not a URL.") from error
    match address.drivername:
        case "postgresql" | "postgres" | "postgresql+asyncpg":
            return address.set(drivername="postgresql+asyncpg")
        case "sqlite" | "sqlite+aiosqlite":
            if address.database in (None, "", ":memory:"):
                raise ValueError("An SQLite database needs a file: sqlite:///orders.db")
            return address.set(drivername="sqlite+aiosqlite")
        case other:
            raise ValueError(
                f"The database's address begins with {other}://; "
                "it must be sqlite:/// or postgresql+asyncpg://"
            )
