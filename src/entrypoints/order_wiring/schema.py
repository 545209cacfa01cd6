"""Whether the database is there, and has the tables that this version wants."""

import os
from pathlib import Path

from order_core.errors import StoreUnavailable
from order_sqlalchemy import NEWEST, Database, needs_upgrade, upgrade
from order_wiring.mistakes import CannotStart
from order_wiring.setting_values import without_password
from order_wiring.settings import Settings


async def ensure_schema(settings: Settings) -> None:
    """Bring an SQLite file to this version's schema; refuse a PostgreSQL that has another.

    The file belongs to this service alone. A server may be in use by processes of the
    version before, so when it changes is decided by a person: `order-core migrate`.

    Raises:
        CannotStart: the database cannot be used, or has another schema.
    """
    if not await schema_differs(settings):
        return
    if _is_sqlite(settings):
        await migrate(settings)
    else:
        raise CannotStart(
            "the database does not have the schema of this version. Bring it there with: "
            "order-core migrate"
        )


async def ensure_reachable(database: Database, settings: Settings) -> None:
    """Open a connection and ask for an answer.

    Raises:
        CannotStart: there is none.
    """
    try:
        await database.ping()
    except StoreUnavailable as error:
        raise _unusable(settings, error) from error


async def schema_differs(settings: Settings) -> bool:
    """Whether `migrate` has something to do.

    Raises:
        CannotStart: the database cannot be used.
    """
    file = _sqlite_file(settings)
    if file is not None and not file.exists():
        # To look into it would make it.
        return True
    try:
        return await needs_upgrade(settings.database_url.get_secret_value())
    except StoreUnavailable as error:
        raise _unusable(settings, error) from error


async def migrate(settings: Settings) -> None:
    """Bring the database to the schema of this version; harmless if it is there.

    Raises:
        CannotStart: the database cannot be used, or a later version has changed it.
    """
    from alembic.util import CommandError

    _sqlite_file(settings)
    try:
        await upgrade(settings.database_url.get_secret_value())
    except StoreUnavailable as error:
        raise _unusable(settings, error) from error
    except CommandError as error:
        raise CannotStart(
            f"the database was changed by a later version of order-core ({error})"
        ) from error


async def refuse_other_schema(database: Database, *, otherwise: str = "") -> None:
    """Read, and only read, which schema is there. `otherwise` is what else could be done.

    Raises:
        CannotStart: the database cannot be read, or has another schema than this version's.
    """
    try:
        found = await database.revision()
    except StoreUnavailable as error:
        raise CannotStart(f"the database cannot be read. {error}") from error
    if found != NEWEST:
        raise CannotStart(
            f"the database does not have the schema of this version{otherwise}. Bring it there "
            "with: order-core migrate"
        )


def _is_sqlite(settings: Settings) -> bool:
    return settings.database_url.get_secret_value().startswith("sqlite")


def _sqlite_file(settings: Settings) -> Path | None:
    """The file of an SQLite database, which may not be there yet; None on a server.

    Raises:
        CannotStart: it could not be made where it is to be.
    """
    if not _is_sqlite(settings):
        return None
    url = settings.database_url.get_secret_value()
    file = Path(url.partition(":///")[2].partition("?")[0])
    if not file.parent.is_dir():
        raise CannotStart(f"the folder of the database, {file.parent}, does not exist")
    if not os.access(file.parent, os.W_OK):
        raise CannotStart(f"the folder of the database, {file.parent}, cannot be written to")
    return file


def _unusable(settings: Settings, error: StoreUnavailable) -> CannotStart:
    url = without_password(settings.database_url.get_secret_value())
    return CannotStart(f"the database {url} cannot be used; see ORDER_CORE_DATABASE_URL. {error}")
