"""One save as one PostgreSQL statement, and so as one transaction and one round trip.

The parts of a statement see the same snapshot and run in no promised order. Where the order
matters (the key before the content, the lock on the order before everything else), a part
asks for the rows that the earlier one wrote, and so has to wait for it.

A statement has only the parts that its save needs, and each value is an argument of its own.
One statement for all saves, which took its rows as JSON, cost the server half as much again.
What is usual, one movement and no comparison of moments, has no joins: the server prepares
every node of a plan anew each time, about a seventh of what a save costs it.

Many saves of one shape are one statement too, the same one over JSON texts of their rows. Keys and
contents of new orders come in one order there, whoever writes them: others may wait for them.
"""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from order_sqlalchemy import schema
from order_sqlalchemy.double_click import STILL_WAITS
from order_sqlalchemy.erasing import ERASED, HAS_NOTE
from order_sqlalchemy.mapping import microseconds
from order_sqlalchemy.postgresql_rows import (
    EVENT_KINDS,
    EVENT_VALUES,
    KEY_OF_TRANSACTION,
    ORDER_KINDS,
    ORDER_VALUES,
    REPLACED_VALUES,
    TRANSACTION_KINDS,
    TRANSACTION_VALUES,
    Places,
    Relation,
    Values,
    selected,
)
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.saving import Saving

NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

_MOST_SHAPES: Final = 128


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of all saves of one shape."""

    text: str
    """Of each order that was stored it answers the id, whether the lease is held, and what the
    server's clock shows."""
    orders: Relation
    transactions: Relation
    events: Relation

    def arguments(self, values: Values) -> list[Any]:
        """What it asks for, in its order."""
        return [
            *self.orders.arguments(values.orders),
            *self.transactions.arguments(values.transactions),
            *self.events.arguments(values.events),
        ]


@lru_cache(maxsize=_MOST_SHAPES)
def statement_of(shape: Shape) -> Statement:
    """The statement of every save of this shape.

    One that adds stores nothing if the guard refuses; a key that is written already then belongs
    to an order that does not exist, and this takes the whole statement back. One that replaces
    stores nothing of an order that is not of this version.
    """
    places = Places()
    orders = places.relation("given", ORDER_KINDS | _beside(shape), rows=shape.rows(1))
    transactions = places.relation("moved", TRANSACTION_KINDS, rows=shape.rows(shape.transactions))
    events = places.relation("happened", EVENT_KINDS, rows=shape.rows(shape.events))
    parts = [*orders.read(), *transactions.read(), *events.read()]
    if shape.adds:
        parts += _added(shape, orders)
    else:
        if shape.compares_moments:
            parts.append(f"moment AS MATERIALIZED (SELECT {NOW} AS us)")
        parts.append(_replaced(shape, orders))
        parts += _around_a_change(shape, orders)
    parts.append(f"transactions AS ({_transactions(shape, transactions)})")
    if shape.events:
        parts.append(_events(events))
    if shape.erases:
        parts.append(_WORDS_ERASED)
    text = f"WITH {', '.join(parts)} SELECT id, holds, {NOW} FROM stored"
    return Statement(text, orders, transactions, events)


def values_of(saving: Saving, shape: Shape, *, asked_at_us: int | None) -> Values:
    """What `statement_of(shape)` stores of it.

    `asked_at_us` is what the server's clock showed, at the least, when it was asked for: what it
    waited since, here or on the way, is no part of the window of a double click.
    """
    beside: dict[str, Any] = {}
    if request := saving.request:
        beside |= {
            "request_of": request.customer_id,
            "request_route": request.route,
            "request_key": request.key,
            "request_body": request.body_fingerprint,
        }
    if shape.is_guarded and saving.guard:
        beside["fingerprint"] = saving.guard.content_fingerprint
        beside["guard_window"] = microseconds(saving.guard.window + saving.guard.waited)
        beside["asked_at_us"] = asked_at_us
    if take := saving.take:
        beside["take_token"] = take.token
        beside["take_for"] = microseconds(take.duration)
        beside["take_by_request"] = take.by_request
    if shape.releases and saving.release:
        beside["release_token"] = saving.release.token
    if not shape.adds:
        beside["version"] = saving.order.version
    return Values.of(saving, beside)


_REQUEST: Final = ("request_of", "request_route", "request_key", "request_body")


def _beside(shape: Shape) -> dict[str, str]:
    """What comes with the columns of an order, each with its type."""
    kinds: dict[str, str] = {}
    if shape.has_key:
        kinds |= dict.fromkeys(_REQUEST, "text")
    if shape.is_guarded:
        kinds |= {"fingerprint": "text", "guard_window": "bigint", "asked_at_us": "bigint"}
    if shape.takes:
        kinds |= {"take_token": "text", "take_for": "bigint", "take_by_request": "boolean"}
    if shape.releases:
        kinds |= {"release_token": "text"}
    if not shape.adds:
        kinds |= {"version": "integer"}
    return kinds


# Parts -----------------------------------------------------------------------------------


def _added(shape: Shape, orders: Relation) -> Iterator[str]:
    before = ""
    if shape.has_key:
        columns = ("id", *_REQUEST)
        yield f"""request AS (
            {_INSERT_REQUEST} SELECT {_columns(f"n.{name}" for name in _REQUEST)}, n.id
            FROM {orders.named("n", columns)} {_in_order(shape, *_REQUEST)} RETURNING 1
        )"""
        before = "WHERE (SELECT count(*) FROM request) > 0"
    if shape.is_guarded:
        named = orders.named("n", ("id", "fingerprint"))
        asked = orders.named("n", ("id", "guard_window", "asked_at_us"))
        yield f"""guard AS (
            INSERT INTO order_fingerprints AS f (fingerprint, order_id, created_at_us)
            SELECT n.fingerprint, n.id, {NOW} FROM {named} {before}
            {_in_order(shape, "fingerprint")}
            ON CONFLICT (fingerprint) DO UPDATE
            SET order_id = excluded.order_id, created_at_us = excluded.created_at_us
            WHERE f.created_at_us < (
                  SELECT LEAST(n.asked_at_us, excluded.created_at_us) - n.guard_window
                  FROM {asked} WHERE n.id = excluded.order_id)
              AND NOT {STILL_WAITS}
            RETURNING order_id
        )"""
        admitted = "n.id IN" if shape.is_company else "EXISTS"
        before = f"WHERE {admitted} (SELECT order_id FROM guard)"
    lease, holds = "NULL, NULL, false", "false"
    if shape.takes:
        lease, holds = f"n.take_token, {NOW} + n.take_for, n.take_by_request", "true"
    values = selected(schema.orders, "n", ORDER_VALUES)
    yield f"""stored AS (
        INSERT INTO orders ({_columns(ORDER_VALUES)}, version,
                            lease_token, lease_until_us, lease_by_request)
        SELECT {_columns(values)}, 1, {lease} FROM {orders.named("n", list(orders.kinds))} {before}
        RETURNING id, {holds} AS holds
    )"""


def _replaced(shape: Shape, orders: Relation) -> str:
    values = selected(schema.orders, "n", ORDER_VALUES)
    changes = [
        f"{name} = {value}"
        for name, value in zip(ORDER_VALUES, values, strict=True)
        if name != "id"
    ]
    changes.append("version = o.version + 1")
    changes += _lease_changes(shape)
    holds = "COALESCE(o.lease_token = n.take_token, false)" if shape.takes else "false"
    # Its lease is compared with the moment three times, and what they find must agree.
    moment = "moment, " if shape.compares_moments else ""
    return f"""stored AS (
        UPDATE orders o SET {", ".join(changes)}
        FROM {moment}{orders.named("n", list(orders.kinds))}
        WHERE o.id = n.id AND o.version = n.version
        RETURNING o.id, {holds} AS holds
    )"""


def _lease_changes(shape: Shape) -> Iterator[str]:
    cases = []
    if shape.takes:
        ours = " OR o.lease_token = n.release_token" if shape.releases else ""
        free = f"COALESCE(o.lease_until_us, 0) <= moment.us OR o.lease_token = n.take_token{ours}"
        cases.append((free, ("n.take_token", "moment.us + n.take_for", "n.take_by_request")))
    if shape.releases:
        cases.append(("o.lease_token = n.release_token", ("NULL", "NULL", "false")))
    if not cases:
        return
    for index, column in enumerate(("lease_token", "lease_until_us", "lease_by_request")):
        whens = " ".join(f"WHEN {condition} THEN {values[index]}" for condition, values in cases)
        yield f"{column} = CASE {whens} ELSE o.{column} END"


def _around_a_change(shape: Shape, orders: Relation) -> Iterator[str]:
    after = ""
    if shape.has_key:
        yield f"""request AS (
            {_INSERT_REQUEST} SELECT {_columns(f"n.{name}" for name in _REQUEST)}, n.id
            FROM stored JOIN {orders.named("n", ("id", *_REQUEST))} ON n.id = stored.id
            {_in_order(shape, *_REQUEST)} RETURNING 1
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


def _transactions(shape: Shape, transactions: Relation) -> str:
    # A key that was used before, and a content that is free again, come first. Of a new order,
    # `stored` itself has waited.
    earlier = "freed" if shape.frees else "request" if shape.has_key and not shape.adds else None
    waits = f"(SELECT count(*) FROM {earlier}) >= 0" if earlier else "true"
    rows = transactions.named("t", TRANSACTION_VALUES)
    if shape.replaces_its_only_one:
        changes = _columns(f"{name} = t.{name}" for name in REPLACED_VALUES)
        return f"""
            UPDATE payment_transactions p SET {changes}
            FROM stored JOIN {rows} ON t.order_id = stored.id
            WHERE p.order_id = t.order_id AND p.position = 0 AND {waits}"""
    in_order = "" if shape.rows(shape.transactions) == 1 else "ORDER BY t.order_id, t.position"
    return f"""
        INSERT INTO payment_transactions AS p ({_columns(TRANSACTION_VALUES)})
        SELECT {_columns(f"t.{name}" for name in TRANSACTION_VALUES)}
        FROM stored JOIN {rows} ON t.order_id = stored.id
        WHERE {waits} {in_order}
        {"" if shape.adds else _REPLACING}"""


_REPLACING: Final = f"""
    ON CONFLICT (order_id, position) DO UPDATE SET {
    ", ".join(
        f"{name} = excluded.{name}" for name in TRANSACTION_VALUES if name not in KEY_OF_TRANSACTION
    )
}
    WHERE ({", ".join(f"p.{name}" for name in TRANSACTION_VALUES)})
          IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in TRANSACTION_VALUES)})"""


def _events(events: Relation) -> str:
    # The application's clock may be ahead of the database's: what is to be told is due at once.
    # LEAST passes over NULL, which means here that there is nothing to tell.
    columns = _columns(selected(schema.order_events, "e", EVENT_VALUES)).replace(
        "e.tell_at_us",
        f"CASE WHEN e.tell_at_us IS NOT NULL THEN LEAST(e.tell_at_us, {NOW}) END",
    )
    return f"""events AS (
        INSERT INTO order_events ({_columns(EVENT_VALUES)})
        SELECT {columns}
        FROM stored JOIN {events.named("e", EVENT_VALUES)} ON e.order_id = stored.id
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


def _in_order(shape: Shape, *columns: str) -> str:
    # Two companies that write the same rows in different orders would wait for each other.
    return f"ORDER BY {_columns(columns)}" if shape.is_company else ""


def _columns(names: Iterable[str]) -> str:
    return ", ".join(names)
