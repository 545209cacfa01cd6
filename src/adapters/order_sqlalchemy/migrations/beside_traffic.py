"""Changes of tables that a running service reads and writes meanwhile.

PostgreSQL would lock a table for as long as it takes to read all of it: to check a constraint, to
build an index. So these take the short way: a constraint that holds for new rows at once and is
checked for the old ones afterwards, an index that is built beside the traffic. Both end the
transaction they are in, and so each can be done again by whoever comes after a crash.

SQLite has one writer at a time anyway, and does each upgrade in one transaction.
"""

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from order_sqlalchemy.revision import SHORT_WAITS

_LONG_WAITS: Final = "SET lock_timeout = 0"
# What locks nobody out may itself wait for the oldest transaction to end.


def is_postgresql() -> bool:
    """Whether the database that is being changed has other writers."""
    return op.get_bind().dialect.name == "postgresql"


def add_column(table: str, name: str, kind: sa.types.TypeEngine[Any]) -> None:
    """A column that may be empty; no row is touched."""
    op.add_column(table, sa.Column(name, kind, nullable=True), if_not_exists=is_postgresql())


def add_checks(
    table: str, checks: dict[str, str], *, mend: Callable[[], None] = lambda: None
) -> None:
    """Constraints, each a name and what must be true; one of the same name is replaced.

    `mend` makes the rows that are there fit. It runs twice: what a program of the schema before
    wrote in between is found by the second time.
    """
    mend()
    if not is_postgresql():
        # SQLite cannot change a constraint: Alembic copies the table, with all that it has.
        known = {check["name"] for check in sa.inspect(op.get_bind()).get_check_constraints(table)}
        with op.batch_alter_table(table) as copied:
            for name, condition in checks.items():
                if name in known:
                    copied.drop_constraint(name, type_="check")
                copied.create_check_constraint(name, sa.text(condition))
        return
    for name, condition in checks.items():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    with op.get_context().autocommit_block():
        op.execute(_LONG_WAITS)
        mend()
        for name in checks:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        op.execute(SHORT_WAITS)


def create_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    """An index over the rows for which `where` is true."""
    if not is_postgresql():
        op.create_index(name, table, columns, unique=False, sqlite_where=sa.text(where))
        return
    with op.get_context().autocommit_block():
        op.execute(_LONG_WAITS)
        # One that was not finished is of no use to anybody, and would stay so.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {name} ON {table} ({', '.join(columns)}) WHERE {where}"
        )
        op.execute(SHORT_WAITS)
