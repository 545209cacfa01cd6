"""Claims on PostgreSQL: found, locked, taken and read in one statement each."""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

from typing import Final

from order_sqlalchemy.postgresql_save import NOW
from order_sqlalchemy.statements import Statements


def claim_orders(statements: Statements) -> str:
    """Arguments: how many, for how long, and the tokens. Answers place, token and order."""
    # A row that was changed after this statement began is locked in its newest version, but
    # its transactions would be read as they were before. Such an order is left for the next
    # claim: with the new version and the old transactions, a save would undo the change.
    return f"""
        WITH moment AS MATERIALIZED (SELECT {NOW} AS us),
        due AS MATERIALIZED (
            SELECT o.id, o.version, o.attend_at_us FROM orders o, moment
            WHERE o.attend_at_us <= moment.us
              AND (o.lease_until_us IS NULL OR o.lease_until_us <= moment.us)
            ORDER BY o.attend_at_us LIMIT $1
            FOR NO KEY UPDATE OF o SKIP LOCKED
        ),
        numbered AS (
            SELECT due.*, row_number() OVER (ORDER BY attend_at_us, id) AS place FROM due
        )
        UPDATE orders o
        SET lease_token = ($3::text[])[numbered.place], lease_until_us = moment.us + $2,
            lease_by_request = false
        FROM numbered, moment
        WHERE o.id = numbered.id
          AND numbered.version = (SELECT seen.version FROM orders seen WHERE seen.id = numbered.id)
        RETURNING numbered.place, o.lease_token, {statements.whole_order}"""


def claim_notices(statements: Statements) -> str:
    """Arguments: how many, and for how long. Answers the event and its order."""
    return f"""
        WITH moment AS MATERIALIZED (SELECT {NOW} AS us),
        due AS MATERIALIZED (
            SELECT e.order_id, e.sequence FROM order_events e, moment
            WHERE e.tell_at_us <= moment.us
            ORDER BY e.tell_at_us, e.order_id, e.sequence LIMIT $1
            FOR NO KEY UPDATE OF e SKIP LOCKED
        )
        UPDATE order_events e SET tell_at_us = moment.us + $2
        FROM due, moment, orders o
        WHERE e.order_id = due.order_id AND e.sequence = due.sequence AND o.id = e.order_id
        RETURNING e.sequence, e.at_us, e.name, e.data, e.attempts, {statements.whole_order}"""


ORDER_OF_CLAIMS: Final = 0
"""Which value of a claimed order tells its place: RETURNING promises no order."""
