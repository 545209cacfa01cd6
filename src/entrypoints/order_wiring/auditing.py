"""The use case that checks everything that is stored, over a database that is only read."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from order_core.ports import OrderAudit
from order_core.use_cases import VerifyOrders
from order_http.owner_view import OWNER_VIEW
from order_sqlalchemy import SqlOrderAudit, Timeouts, open_database
from order_system import SystemClock
from order_wiring.schema import refuse_other_schema
from order_wiring.settings import Settings

# A page takes milliseconds; the number of all orders takes longer where there are many.
_STATEMENT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Auditing:
    """What `order-core verify` works with."""

    audit: OrderAudit
    verify: VerifyOrders


@asynccontextmanager
async def auditing(settings: Settings) -> AsyncGenerator[Auditing]:
    """The audit of the configured database, open until the end of the `async with`.

    A role that may only SELECT is enough; nothing is made, migrated or locked.

    Raises:
        CannotStart: the database cannot be read, or has another schema than this version's.
    """
    database = open_database(
        settings.database_url.get_secret_value(),
        pool_size=1,
        timeouts=Timeouts(statement=_STATEMENT_SECONDS),
        read_only=True,
    )
    try:
        otherwise = ", which is checked by the `verify` of the version that uses it"
        await refuse_other_schema(database, otherwise=otherwise)
        audit = SqlOrderAudit(database, view=OWNER_VIEW)
        yield Auditing(audit, VerifyOrders(audit, SystemClock(), view=OWNER_VIEW))
    finally:
        await database.close()
