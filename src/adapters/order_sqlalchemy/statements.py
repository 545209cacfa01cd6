"""The SQL that both databases understand, with the few phrases in which they differ."""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

from functools import lru_cache
from typing import Any, Final

from order_core.order_status import OrderStatus
from order_core.payment import OPEN_STATUSES, TAKING_KINDS, TransactionStatus
from order_core.ports import OrderQuery
from order_sqlalchemy.mapping import EVENT_COLUMNS, ORDER_COLUMNS, moment_us
from order_sqlalchemy.schema import (
    ALIVE,
    HAS_REFERENCE,
    PLACED,
    TO_MATCH,
    UNFINISHED,
    UNMATCHED,
    one_of,
)

ORDER: Final = ", ".join(f"o.{column}" for column in ORDER_COLUMNS)


class Statements:
    """One statement for each read and each small change, whatever the number of rows.

    `transactions` selects those of order `o` as one JSON text, so that a page of orders
    needs no second statement, and no join that repeats the order for each of them.
    `events` selects its events, each as sequence, moment, name and data, in the same way.
    `now` is the database's own clock in microseconds, and `texts` makes rows with a `value` of the
    JSON array of texts in `$2`. Arguments are numbered `$1`, `$2`.
    """

    def __init__(self, *, transactions: str, events: str, now: str, texts: str) -> None:
        self.now = f"SELECT {now}"
        self.events: Final = events
        self.whole_order: Final = f"{ORDER}, {transactions}"
        """The values that `order_from` reads."""

        self.order: Final = f"SELECT {self.whole_order} FROM orders o WHERE o.id = $1"
        self.view: Final = f"""
            SELECT {owner_view("$2")}, o.customer_id FROM orders o WHERE o.id = $1"""
        """The order `$1` as its owner sees it in the edition `$2`, and whose it is."""

        self.request: Final = f"""
            SELECT r.body_fingerprint,
                   COALESCE(o.lease_by_request AND o.lease_until_us > {now}, false),
                   {self.whole_order}
            FROM idempotency_records r JOIN orders o ON o.id = r.order_id
            WHERE r.customer_id = $1 AND r.route = $2 AND r.key = $3"""

        self.by_transaction: Final = f"""
            SELECT {self.whole_order}
            FROM payment_transactions f JOIN orders o ON o.id = f.order_id WHERE f.id = $1"""

        self.by_reference: Final = f"""
            SELECT {self.whole_order} FROM (
                SELECT order_id FROM payment_transactions
                WHERE provider = $1 AND account = $2 AND provider_reference = $3
                  AND {HAS_REFERENCE}
                ORDER BY CASE WHEN {ALIVE} THEN 0 ELSE 1 END, recorded_at_us DESC, order_id DESC
                LIMIT 1
            ) f JOIN orders o ON o.id = f.order_id"""

        self.unfinished: Final = f"""
            SELECT {self.whole_order} FROM (
                SELECT order_id, min(recorded_at_us) AS since FROM payment_transactions
                WHERE {UNFINISHED} GROUP BY order_id ORDER BY since, order_id LIMIT $1
            ) f JOIN orders o ON o.id = f.order_id ORDER BY f.since, f.order_id"""

        columns = ", ".join(EVENT_COLUMNS)
        self.receive: Final = f"""
            INSERT INTO received_events ({columns}) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (provider, event_id) DO NOTHING RETURNING 1"""

        self.remembered: Final = f"""
            SELECT event_id FROM received_events
            WHERE provider = $1 AND event_id IN (SELECT value FROM {texts})"""

        self.unmatched: Final = f"""
            SELECT {columns} FROM received_events WHERE {UNMATCHED}
            ORDER BY received_at_us DESC, provider DESC, event_id DESC LIMIT $1"""

        self.to_match: Final = f"""
            SELECT {columns} FROM received_events
            WHERE {TO_MATCH} AND (received_at_us, provider, event_id) > ($1, $2, $3)
            ORDER BY received_at_us, provider, event_id LIMIT $4"""

        self.match: Final = f"""
            UPDATE received_events SET verdict = $3, order_id = $4
            WHERE provider = $1 AND event_id = $2 AND {UNMATCHED} RETURNING 1"""

        of_record = "provider = $1 AND account = $2 AND installation = $3"
        self.taken_in: Final = f"""
            SELECT {now}, (SELECT taken_in_until_us FROM event_records WHERE {of_record})"""
        self.begin_taken_in: Final = """
            INSERT INTO event_records (provider, account, installation, taken_in_until_us)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (provider, account, installation) DO NOTHING RETURNING 1"""
        self.move_taken_in: Final = f"""
            UPDATE event_records SET taken_in_until_us = $4
            WHERE {of_record} AND taken_in_until_us = $5 RETURNING 1"""

        self.history: Final = """
            SELECT o.customer_id, e.sequence, e.at_us, e.name, e.data
            FROM orders o LEFT JOIN order_events e ON e.order_id = o.id
            WHERE o.id = $1 ORDER BY e.sequence"""

        self.release: Final = """
            UPDATE orders
            SET lease_token = NULL, lease_until_us = NULL, lease_by_request = false
            WHERE id = $1 AND lease_token = $2"""

        # A worker that was too slow must not revive what another one has finished.
        waiting = "order_id = $1 AND sequence = $2 AND tell_at_us IS NOT NULL"
        self.told: Final = f"""
            UPDATE order_events SET told_at_us = {now}, tell_at_us = NULL WHERE {waiting}"""
        self.tell_later: Final = f"""
            UPDATE order_events SET attempts = attempts + 1, tell_at_us = {now} + $3
            WHERE {waiting}"""
        self.give_up: Final = f"""
            UPDATE order_events SET given_up_because = $3, tell_at_us = NULL WHERE {waiting}"""

        # The wider condition is there for the index: SQLite takes it word by word.
        is_open_charge = (
            f"{UNFINISHED} AND {one_of('status', *OPEN_STATUSES)} "
            f"AND {one_of('kind', *TAKING_KINDS)}"
        )
        self.figures: Final = f"""
            SELECT (SELECT count(*) FROM payment_transactions WHERE {is_open_charge}),
                   (SELECT {now} - min(recorded_at_us) FROM payment_transactions
                    WHERE {is_open_charge}),
                   (SELECT count(*) FROM payment_transactions
                    WHERE {UNFINISHED} AND status = '{TransactionStatus.UNKNOWN}'),
                   (SELECT count(*) FROM order_events WHERE name = 'late_payment_received'),
                   (SELECT count(*) FROM order_events WHERE tell_at_us IS NOT NULL)"""

    def page(self, query: OrderQuery) -> tuple[str, list[Any]]:
        """The statement and its arguments. It asks for one order more than the page holds."""
        # The page first, its transactions afterwards: not for the rows that OFFSET skips.
        rows, arguments = self._rows_of(query)
        statement = f"""
            SELECT {self.whole_order} FROM (SELECT * FROM orders o {rows}) o
            ORDER BY o.created_at_us DESC, o.id DESC"""
        return statement, arguments

    def view_page(self, query: OrderQuery, edition: str) -> tuple[str, list[Any]]:
        """The same page, of the orders as their owner sees them, and the place of each."""
        rows, arguments = self._rows_of(query)
        arguments.append(edition)
        viewed = owner_view(f"${len(arguments)}")
        return f"SELECT {viewed}, o.created_at_us, o.id FROM orders o {rows}", arguments

    @staticmethod
    def _rows_of(query: OrderQuery) -> tuple[str, list[Any]]:
        conditions: list[str] = []
        arguments: list[Any] = []
        if query.customer_id is not None:
            conditions.append("customer_id = {}")
            arguments.append(query.customer_id)
        if query.before is not None:
            at, order_id = query.before
            conditions.append("(created_at_us, id) < ({}, {})")
            arguments += (moment_us(at), order_id)
        if query.created_after is not None:
            conditions.append("created_at_us >= {}")
            arguments.append(moment_us(query.created_after))
        if query.created_before is not None:
            conditions.append("created_at_us < {}")
            arguments.append(moment_us(query.created_before))
        # Written out, not as an argument: a limit that it does not know makes PostgreSQL plan
        # the page anew each time, which takes longer than reading it.
        part = f"LIMIT {query.limit + 1}"
        if query.offset:
            part += " OFFSET {}"
            arguments.append(query.offset)
        return _rows(query.statuses, tuple(conditions), part), arguments


@lru_cache(maxsize=256)
def _rows(statuses: frozenset[OrderStatus] | None, conditions: tuple[str, ...], part: str) -> str:
    """Which rows, in which order; `{}` in a condition or in `part` is the next argument."""
    # Written out, too: only then the database sees that the index over placed orders has all
    # that is asked for.
    which = PLACED if statuses is None else one_of("status", *statuses) if statuses else "1 = 0"
    text = f"""
        WHERE {" AND ".join((which, *conditions))} ORDER BY o.created_at_us DESC, o.id DESC
        {part}"""
    return text.format(*(f"${number}" for number in range(1, text.count("{}") + 1)))


def owner_view(edition: str) -> str:
    """The text that is kept of order `o`, or NULL where it is not of the order as it is now."""
    return f"""
        CASE WHEN o.owner_view_version = o.version AND o.owner_view_edition = {edition}
             THEN o.owner_view END"""
