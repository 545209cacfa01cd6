"""Claims on SQLite, inside a transaction that nobody else writes in: read, then marked."""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

import sqlite3

from order_sqlalchemy.mapping import Row
from order_sqlalchemy.statements import Statements


def claim_orders(
    connection: sqlite3.Connection,
    statements: Statements,
    limit: int,
    hold_us: int,
    tokens: tuple[str, ...],
) -> list[Row]:
    """Token and order of each, longest waiting first."""
    found = connection.execute(
        f"""SELECT {statements.whole_order} FROM orders o
            WHERE o.attend_at_us <= now_us()
              AND (o.lease_until_us IS NULL OR o.lease_until_us <= now_us())
            ORDER BY o.attend_at_us, o.id LIMIT ?""",
        (limit,),
    ).fetchall()
    claimed = list(zip(tokens, found, strict=False))
    connection.executemany(
        """UPDATE orders
           SET lease_token = ?, lease_until_us = now_us() + ?, lease_by_request = false
           WHERE id = ?""",
        [(token, hold_us, row[0]) for token, row in claimed],
    )
    return [(token, *row) for token, row in claimed]


def claim_notices(
    connection: sqlite3.Connection, statements: Statements, limit: int, hold_us: int
) -> list[Row]:
    """Each event and its order, oldest first."""
    found = connection.execute(
        f"""SELECT e.sequence, e.at_us, e.name, e.data, e.attempts, {statements.whole_order}
            FROM order_events e JOIN orders o ON o.id = e.order_id
            WHERE e.tell_at_us <= now_us()
            ORDER BY e.tell_at_us, e.order_id, e.sequence LIMIT ?""",
        (limit,),
    ).fetchall()
    connection.executemany(
        "UPDATE order_events SET tell_at_us = now_us() + ? WHERE order_id = ? AND sequence = ?",
        [(hold_us, row[5], row[0]) for row in found],
    )
    return found
