"""One save as one PostgreSQL statement, and so as one transaction and one round trip.

The parts of a statement see the same snapshot and run in no promised order. Where the order
matters (the key before the content, the lock on the order before everything else), a part
reads the number of rows that the earlier one wrote, and so has to wait for it.
"""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from order_sqlalchemy import schema
from order_sqlalchemy.double_click import STILL_WAITS
from order_sqlalchemy.erasing import ERASED, HAS_NOTE
from order_sqlalchemy.mapping import TRANSACTION_COLUMNS, json_text, microseconds
from order_sqlalchemy.saving import Saving

NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

_ORDER_VALUES: Final = (
    "id",
    "customer_id",
    "status",
    "currency",
    "total_minor",
    "items",
    "shipping_address",
    "email",
    "created_at_us",
    "event_count",
    "captured_minor",
    "refunded_minor",
    "refund_asked_minor",
    "attend_at_us",
    "shipments",
    "owner_view",
    "owner_view_edition",
    "owner_view_version",
)
_TRANSACTION_VALUES: Final = ("position", *TRANSACTION_COLUMNS)
_EVENT_VALUES: Final = (
    "order_id",
    "sequence",
    "at_us",
    "name",
    "data",
    "tell_at_us",
    "told_at_us",
)
_KEY_OF_TRANSACTION: Final = frozenset({"order_id", "position", "id"})


def _columns(*names: str, of: str = "") -> str:
    return ", ".join(f"{of}{name}" for name in names)


def _typed(table: Table, *names: str) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return ", ".join(
        f"{name} {table.c[name].type.compile(dialect)}".split(" COLLATE", maxsplit=1)[0]
        for name in names
    )


_ORDER: Final = f"json_to_record($1::json) AS n({_typed(schema.orders, *_ORDER_VALUES)})"
_TRANSACTIONS: Final = (
    f"json_to_recordset($2::json) AS t({_typed(schema.payment_transactions, *_TRANSACTION_VALUES)})"
)
_EVENTS: Final = f"json_to_recordset($3::json) AS e({_typed(schema.order_events, *_EVENT_VALUES)})"

# The application's clock may be ahead of the database's: what is to be told is due at once.
_EVENT_SELECTED: Final = _columns(*_EVENT_VALUES, of="e.").replace(
    "e.tell_at_us",
    # LEAST passes over NULL, which means here that there is nothing to tell.
    "CASE WHEN e.tell_at_us IS NOT NULL THEN LEAST(e.tell_at_us, moment.us) END",
)

_MOMENT: Final = f"moment AS MATERIALIZED (SELECT {NOW} AS us)"

_EVENTS_ADDED: Final = f"""
    INSERT INTO order_events ({_columns(*_EVENT_VALUES)})
    SELECT {_EVENT_SELECTED} FROM stored, moment, {_EVENTS}
    WHERE e.order_id = stored.id
"""

ADD: Final = f"""
WITH {_MOMENT},
offered AS MATERIALIZED (
    SELECT n.* FROM {_ORDER} WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = n.id)
),
request AS (
    INSERT INTO idempotency_records (customer_id, route, key, body_fingerprint, order_id)
    SELECT $4::text, $5::text, $6::text, $7::text, offered.id FROM offered
    WHERE $6 IS NOT NULL
    RETURNING 1
),
key_is_ours AS (SELECT count(*) FROM request),
guard AS (
    INSERT INTO order_fingerprints AS f (fingerprint, order_id, created_at_us)
    SELECT $8::text, offered.id, moment.us FROM offered, moment, key_is_ours
    WHERE $8 IS NOT NULL
    ON CONFLICT (fingerprint) DO UPDATE
    SET order_id = excluded.order_id, created_at_us = excluded.created_at_us
    WHERE f.created_at_us < excluded.created_at_us - $9::bigint
      AND NOT {STILL_WAITS}
    RETURNING 1
),
admitted AS (SELECT count(*) AS guards FROM guard),
stored AS (
    INSERT INTO orders ({_columns(*_ORDER_VALUES)}, version,
                        lease_token, lease_until_us, lease_by_request)
    SELECT {_columns(*_ORDER_VALUES, of="offered.")}, 1,
           $10::text, moment.us + $11::bigint, COALESCE($12::boolean, false)
    FROM offered, moment, key_is_ours, admitted
    WHERE admitted.guards = 1 OR $8 IS NULL
    RETURNING id
),
transactions AS (
    INSERT INTO payment_transactions ({_columns(*_TRANSACTION_VALUES)})
    SELECT {_columns(*_TRANSACTION_VALUES, of="t.")} FROM stored, {_TRANSACTIONS}
    WHERE t.order_id = stored.id ORDER BY t.position
),
events AS ({_EVENTS_ADDED})
SELECT (SELECT count(*) FROM offered), (SELECT count(*) FROM stored)
"""
"""Add an order. Answers whether its id was free, and whether it was stored.

A refused guard stores no order; a request's record that is written already then refers to an
order that does not exist, and this takes the whole statement back.
"""

_FREE: Final = (
    "(o.lease_until_us IS NULL OR o.lease_until_us <= moment.us"
    " OR o.lease_token = $8 OR o.lease_token = $11)"
)


def _lease(column: str, taken: str, ended: str) -> str:
    return f"""{column} = CASE
        WHEN $8::text IS NOT NULL AND {_FREE} THEN {taken}
        WHEN o.lease_token = $11::text THEN {ended}
        ELSE o.{column} END"""


_REPLACED: Final = f"""
WITH {_MOMENT},
stored AS (
    UPDATE orders o
    SET {", ".join(f"{name} = n.{name}" for name in _ORDER_VALUES[1:])},
        version = o.version + 1,
        {_lease("lease_token", "$8", "NULL")},
        {_lease("lease_until_us", "moment.us + $9::bigint", "NULL")},
        {_lease("lease_by_request", "$10::boolean", "false")}
    FROM moment, {_ORDER}
    WHERE o.id = n.id AND o.version = $12::integer
    RETURNING o.id, COALESCE(o.lease_token = $8, false) AS holds
),
request AS (
    INSERT INTO idempotency_records (customer_id, route, key, body_fingerprint, order_id)
    SELECT $4::text, $5::text, $6::text, $7::text, stored.id FROM stored
    WHERE $6 IS NOT NULL
    RETURNING 1
),
key_is_ours AS (SELECT count(*) FROM request),
freed AS (
    DELETE FROM order_fingerprints f USING stored, key_is_ours
    WHERE f.order_id = stored.id AND $13::boolean
    RETURNING 1
),
content_is_freed AS (SELECT count(*) FROM freed),
guards_anew AS (
    UPDATE order_fingerprints f SET created_at_us = moment.us FROM stored, moment
    WHERE f.order_id = stored.id AND $14::boolean
),
transactions AS (
    INSERT INTO payment_transactions AS p ({_columns(*_TRANSACTION_VALUES)})
    SELECT {_columns(*_TRANSACTION_VALUES, of="t.")}
    FROM stored, content_is_freed, {_TRANSACTIONS}
    WHERE t.order_id = stored.id ORDER BY t.position
    ON CONFLICT (order_id, position) DO UPDATE SET {
    ", ".join(
        f"{name} = excluded.{name}"
        for name in _TRANSACTION_VALUES
        if name not in _KEY_OF_TRANSACTION
    )
}
    WHERE ({_columns(*_TRANSACTION_VALUES, of="p.")})
          IS DISTINCT FROM ({_columns(*_TRANSACTION_VALUES, of="excluded.")})
),
events AS ({_EVENTS_ADDED})"""

REPLACE: Final = f"{_REPLACED} SELECT holds FROM stored"
"""Replace the order of the same version. Answers no row if there is none."""

ERASE: Final = f"""{_REPLACED},
words AS (
    UPDATE order_events w
    SET data = CASE WHEN {HAS_NOTE}
                    THEN (w.data::jsonb || jsonb_build_object('note', '{ERASED}'))::json
                    ELSE w.data END,
        given_up_because = CASE WHEN w.given_up_because IS NOT NULL THEN '{ERASED}' END
    FROM stored
    WHERE w.order_id = stored.id AND ({HAS_NOTE} OR w.given_up_because IS NOT NULL)
)
SELECT holds FROM stored"""
"""Replace it too, and forget what people wrote about it. Arguments and answer as of `REPLACE`."""


def _shared_arguments(saving: Saving) -> tuple[Any, ...]:
    request = saving.request
    return (
        json_text(saving.order_row()),
        json_text(saving.transaction_rows()),
        json_text(saving.event_rows()),
        request.customer_id if request else None,
        request.route if request else None,
        request.key if request else None,
        request.body_fingerprint if request else None,
    )


def _lease_arguments(saving: Saving) -> tuple[Any, ...]:
    take = saving.take
    if take is None:
        return (None, None, None)
    return (take.token, microseconds(take.duration), take.by_request)


def add_arguments(saving: Saving) -> tuple[Any, ...]:
    """What `ADD` asks for."""
    guard = saving.guard if saving.guard and saving.guard.window else None
    return (
        *_shared_arguments(saving),
        guard.content_fingerprint if guard else None,
        microseconds(guard.window) if guard else None,
        *_lease_arguments(saving),
    )


def replace_arguments(saving: Saving) -> tuple[Any, ...]:
    """What `REPLACE` asks for."""
    return (
        *_shared_arguments(saving),
        *_lease_arguments(saving),
        saving.release.token if saving.release else None,
        saving.order.version,
        saving.may_be_repeated,
        saving.places_it,
    )
