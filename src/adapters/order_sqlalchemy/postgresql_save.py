"""One save as one PostgreSQL statement, and so as one transaction and one round trip.

The parts of a statement see the same snapshot and run in no promised order. Where the order
matters (the key before the content, the lock on the order before everything else), a part
asks for the rows that the earlier one wrote, and so has to wait for it.

A statement has only the parts that its save needs, and each value is an argument of its own.
One statement for all saves, which took its rows as JSON, cost the server half as much again.
What is usual, one movement and no comparison of moments, has no joins: the server prepares
every node of a plan anew each time, about a seventh of what a save costs it.
"""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from order_sqlalchemy import schema
from order_sqlalchemy.double_click import STILL_WAITS
from order_sqlalchemy.erasing import ERASED, HAS_NOTE
from order_sqlalchemy.mapping import microseconds
from order_sqlalchemy.postgresql_rows import (
    EVENT_VALUES,
    KEY_OF_TRANSACTION,
    ORDER_VALUES,
    REPLACED_VALUES,
    TRANSACTION_VALUES,
    Places,
    event_values,
    order_values,
    replaced_values,
    rows_arguments,
    transaction_values,
)
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.saving import Saving

NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

_MOST_SHAPES: Final = 64


@lru_cache(maxsize=_MOST_SHAPES)
def statement_of(shape: Shape) -> str:
    """The statement of every save of this shape, whose arguments are those of `arguments_of`.

    It answers the order's id and whether the lease is held, or no row if nothing was stored. One
    that adds stores nothing if the guard refuses; a key that is written already then belongs to
    an order that does not exist, and this takes the whole statement back. One that replaces
    stores nothing if there is no order of this version.
    """
    places = Places()
    order = places.row(schema.orders, ORDER_VALUES)
    transactions = _transactions(places, shape, order[0])
    events = _events(places, shape) if shape.events else None
    request = places.of("text", "text", "text", "text") if shape.has_key else None
    parts: list[str] = []
    if shape.adds:
        parts += _added(places, shape, order, request)
    else:
        if shape.compares_moments:
            parts.append(f"moment AS MATERIALIZED (SELECT {NOW} AS us)")
        parts.append(_replaced(places, shape, order))
        parts += _around_a_change(shape, request)
    parts.append(f"transactions AS ({transactions})")
    if events:
        parts.append(events)
    if shape.erases:
        parts.append(_WORDS_ERASED)
    return f"WITH {', '.join(parts)} SELECT id, holds FROM stored"


def arguments_of(saving: Saving, shape: Shape) -> list[Any]:
    """What `statement_of(shape)` asks for, in its order."""
    arguments: list[Any] = [*order_values(saving.order_row())]
    if shape.replaces_its_only_one:
        arguments += replaced_values(saving.transaction_rows()[0])
    else:
        arguments += rows_arguments(saving.transaction_rows(), transaction_values)
    arguments += rows_arguments(saving.event_rows(), event_values)
    if request := saving.request:
        arguments += (request.customer_id, request.route, request.key, request.body_fingerprint)
    if shape.is_guarded and saving.guard:
        arguments += (saving.guard.content_fingerprint, microseconds(saving.guard.window))
    if take := saving.take:
        arguments += (take.token, microseconds(take.duration), take.by_request)
    if shape.releases and saving.release:
        arguments.append(saving.release.token)
    if not shape.adds:
        arguments.append(saving.order.version)
    return arguments


# Parts -----------------------------------------------------------------------------------


def _added(
    places: Places, shape: Shape, order: list[str], request: list[str] | None
) -> Iterator[str]:
    order_id = order[0]
    before = ""
    if request:
        yield f"request AS ({_INSERT_REQUEST} VALUES ({_columns(request)}, {order_id}) RETURNING 1)"
        before = "WHERE EXISTS (SELECT FROM request)"
    if shape.is_guarded:
        fingerprint, window = places.of("text", "bigint")
        yield f"""guard AS (
            INSERT INTO order_fingerprints AS f (fingerprint, order_id, created_at_us)
            SELECT {fingerprint}, {order_id}, {NOW} {before}
            ON CONFLICT (fingerprint) DO UPDATE
            SET order_id = excluded.order_id, created_at_us = excluded.created_at_us
            WHERE f.created_at_us < excluded.created_at_us - {window}
              AND NOT {STILL_WAITS}
            RETURNING 1
        )"""
        before = "WHERE EXISTS (SELECT FROM guard)"
    token, duration, by_request = (
        places.of("text", "bigint", "boolean") if shape.takes else ("NULL", "NULL", "false")
    )
    yield f"""stored AS (
        INSERT INTO orders ({_columns(ORDER_VALUES)}, version,
                            lease_token, lease_until_us, lease_by_request)
        SELECT {_columns(order)}, 1, {token}, {NOW} + {duration}, {by_request} {before}
        RETURNING id, {"true" if shape.takes else "false"} AS holds
    )"""


def _replaced(places: Places, shape: Shape, order: list[str]) -> str:
    changes = [
        f"{name} = {value}" for name, value in zip(ORDER_VALUES, order, strict=True) if name != "id"
    ]
    take = places.of("text", "bigint", "boolean") if shape.takes else None
    released = places.of("text")[0] if shape.releases else None
    (version,) = places.of("integer")
    changes.append("version = o.version + 1")
    changes += _lease_changes(take, released)
    holds = f"COALESCE(o.lease_token = {take[0]}, false)" if take else "false"
    # Its lease is compared with the moment three times, and what they find must agree.
    moment = "FROM moment" if shape.compares_moments else ""
    return f"""stored AS (
        UPDATE orders o SET {", ".join(changes)}
        {moment} WHERE o.id = {order[0]} AND o.version = {version}
        RETURNING o.id, {holds} AS holds
    )"""


def _lease_changes(take: list[str] | None, released: str | None) -> Iterator[str]:
    cases = []
    if take:
        ours = f" OR o.lease_token = {released}" if released else ""
        free = f"COALESCE(o.lease_until_us, 0) <= moment.us OR o.lease_token = {take[0]}{ours}"
        cases.append((free, (take[0], f"moment.us + {take[1]}", take[2])))
    if released:
        cases.append((f"o.lease_token = {released}", ("NULL", "NULL", "false")))
    if not cases:
        return
    for index, column in enumerate(("lease_token", "lease_until_us", "lease_by_request")):
        whens = " ".join(f"WHEN {condition} THEN {values[index]}" for condition, values in cases)
        yield f"{column} = CASE {whens} ELSE o.{column} END"


def _around_a_change(shape: Shape, request: list[str] | None) -> Iterator[str]:
    after = ""
    if request:
        yield f"""request AS (
            {_INSERT_REQUEST} SELECT {_columns(request)}, stored.id FROM stored RETURNING 1
        )"""
        after = "AND (SELECT count(*) FROM request) >= 0"
    if shape.frees:
        yield f"""freed AS (
            DELETE FROM order_fingerprints f USING stored WHERE f.order_id = stored.id {after}
            RETURNING 1
        )"""
    if shape.guards_anew:
        yield f"""guards_anew AS (
            UPDATE order_fingerprints f SET created_at_us = {NOW} FROM stored
            WHERE f.order_id = stored.id
        )"""


def _transactions(places: Places, shape: Shape, order_id: str) -> str:
    table = schema.payment_transactions
    # A key that was used before, and a content that is free again, come first. Of a new order,
    # `stored` itself has waited.
    earlier = "freed" if shape.frees else "request" if shape.has_key and not shape.adds else None
    waits = f"(SELECT count(*) FROM {earlier}) >= 0" if earlier else "true"
    if shape.replaces_its_only_one:
        values = places.row(table, REPLACED_VALUES)
        changes = _columns(
            f"{name} = {value}" for name, value in zip(REPLACED_VALUES, values, strict=True)
        )
        return f"""
            UPDATE payment_transactions p SET {changes}
            FROM stored WHERE p.order_id = {order_id} AND p.position = 0 AND {waits}"""
    rows = places.rows(table, TRANSACTION_VALUES, count=shape.transactions, alias="t")
    in_order = "ORDER BY t.position" if shape.transactions > 1 else ""
    return f"""
        INSERT INTO payment_transactions AS p ({_columns(TRANSACTION_VALUES)})
        SELECT t.* FROM stored, {rows} WHERE {waits} {in_order}
        {"" if shape.adds else _REPLACING}"""


_REPLACING: Final = f"""
    ON CONFLICT (order_id, position) DO UPDATE SET {
    ", ".join(
        f"{name} = excluded.{name}" for name in TRANSACTION_VALUES if name not in KEY_OF_TRANSACTION
    )
}
    WHERE ({", ".join(f"p.{name}" for name in TRANSACTION_VALUES)})
          IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in TRANSACTION_VALUES)})"""


def _events(places: Places, shape: Shape) -> str:
    rows = places.rows(schema.order_events, EVENT_VALUES, count=shape.events, alias="e")
    # The application's clock may be ahead of the database's: what is to be told is due at once.
    # LEAST passes over NULL, which means here that there is nothing to tell.
    selected = _columns(f"e.{name}" for name in EVENT_VALUES).replace(
        "e.tell_at_us",
        f"CASE WHEN e.tell_at_us IS NOT NULL THEN LEAST(e.tell_at_us, {NOW}) END",
    )
    return f"""events AS (
        INSERT INTO order_events ({_columns(EVENT_VALUES)})
        SELECT {selected} FROM stored, {rows}
    )"""


_INSERT_REQUEST: Final = (
    "INSERT INTO idempotency_records (customer_id, route, key, body_fingerprint, order_id)"
)
_WORDS_ERASED: Final = f"""words AS (
    UPDATE order_events w
    SET data = CASE WHEN {HAS_NOTE}
                    THEN (w.data::jsonb || jsonb_build_object('note', '{ERASED}'))::json
                    ELSE w.data END,
        given_up_because = CASE WHEN w.given_up_because IS NOT NULL THEN '{ERASED}' END
    FROM stored
    WHERE w.order_id = stored.id AND ({HAS_NOTE} OR w.given_up_because IS NOT NULL)
)"""


def _columns(names: Iterable[str]) -> str:
    return ", ".join(names)
