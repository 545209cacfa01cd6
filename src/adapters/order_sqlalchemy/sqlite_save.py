"""One save on SQLite: a transaction on the connection that writes, run in its thread.

Nobody else writes between BEGIN IMMEDIATE and COMMIT, so what is read here stays true.
"""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

import sqlite3
from typing import Any, Final

from order_core.errors import ConcurrentUpdate, IdempotencyKeyReused
from order_sqlalchemy.double_click import STILL_WAITS
from order_sqlalchemy.erasing import ERASED, HAS_NOTE
from order_sqlalchemy.mapping import TRANSACTION_COLUMNS, json_text, microseconds
from order_sqlalchemy.refusals import Constraint, possible_duplicate, refusal
from order_sqlalchemy.saving import Saving

_KEY_OF_TRANSACTION: Final = frozenset({"order_id", "position", "id"})
_TRANSACTION: Final = ("position", *TRANSACTION_COLUMNS)

# SQLite names the columns of a broken unique index, not the index.
_UNIQUE: Final = {
    "payment_transactions.provider, payment_transactions.account, "
    "payment_transactions.provider_reference": Constraint.REFERENCE,
    "payment_transactions.single_use_fingerprint": Constraint.SINGLE_USE,
}

_ADD_REQUEST: Final = """
    INSERT INTO idempotency_records (customer_id, route, key, body_fingerprint, order_id)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""

_GUARD: Final = f"""
    INSERT INTO order_fingerprints AS f (fingerprint, order_id, created_at_us)
    VALUES (:fingerprint, :order_id, now_us())
    ON CONFLICT (fingerprint) DO UPDATE
    SET order_id = excluded.order_id, created_at_us = excluded.created_at_us
    WHERE f.created_at_us < MIN(:asked_at_us, excluded.created_at_us) - :window_us
      AND NOT {STILL_WAITS}"""

_GUARD_ANEW: Final = "UPDATE order_fingerprints SET created_at_us = now_us() WHERE order_id = ?"

_SAVE_TRANSACTION: Final = f"""
    INSERT INTO payment_transactions ({", ".join(_TRANSACTION)})
    VALUES ({", ".join(f":{name}" for name in _TRANSACTION)})
    ON CONFLICT (order_id, position) DO UPDATE SET {
    ", ".join(
        f"{name} = excluded.{name}" for name in _TRANSACTION if name not in _KEY_OF_TRANSACTION
    )
}"""

_ADD_EVENT: Final = """
    INSERT INTO order_events (order_id, sequence, at_us, name, data, tell_at_us, told_at_us)
    VALUES (:order_id, :sequence, :at_us, :name, :data,
            CASE WHEN :tell_at_us IS NOT NULL THEN min(:tell_at_us, now_us()) END, :told_at_us)"""

_FORGET_WORDS: Final = f"""
    UPDATE order_events AS w
    SET data = CASE WHEN {HAS_NOTE} THEN json_set(w.data, '$.note', '{ERASED}') ELSE w.data END,
        given_up_because = CASE WHEN w.given_up_because IS NOT NULL THEN '{ERASED}' END
    WHERE w.order_id = ? AND ({HAS_NOTE} OR w.given_up_because IS NOT NULL)"""

_RELEASE: Final = """
    UPDATE orders SET lease_token = NULL, lease_until_us = NULL, lease_by_request = false
    WHERE id = ? AND lease_token = ?"""

_TAKE: Final = """
    UPDATE orders
    SET lease_token = :token, lease_until_us = now_us() + :duration, lease_by_request = :by_request
    WHERE id = :id
      AND (lease_until_us IS NULL OR lease_until_us <= now_us() OR lease_token = :token)"""


def save(connection: sqlite3.Connection, saving: Saving, *, asked_at_us: int) -> bool:
    """Store it all, inside the transaction that the caller began. Whether the lease is held.

    What it waited since `asked_at_us` is no part of the window of a double click.
    """
    order = saving.order
    if saving.is_new:
        _refuse_known_id(connection, saving)
        _add_order(connection, saving)
        _add_request(connection, saving)
        _pass_guard(connection, saving, asked_at_us)
    else:
        _replace_order(connection, saving)
        _add_request(connection, saving)
    if saving.may_be_repeated:
        connection.execute("DELETE FROM order_fingerprints WHERE order_id = ?", (order.id,))
    if saving.places_it and not saving.is_new:
        connection.execute(_GUARD_ANEW, (order.id,))
    connection.executemany(_SAVE_TRANSACTION, saving.transaction_rows())
    connection.executemany(
        _ADD_EVENT, [{**event, "data": json_text(event["data"])} for event in saving.event_rows()]
    )
    if saving.erases:
        connection.execute(_FORGET_WORDS, (order.id,))
    if saving.release:
        connection.execute(_RELEASE, (order.id, saving.release.token))
    return _take(connection, saving)


def meaning(error: sqlite3.IntegrityError, saving: Saving) -> Exception:
    """The error that the port promises for a broken constraint; `error` itself if none."""
    columns = str(error).removeprefix("UNIQUE constraint failed: ")
    return refusal(_UNIQUE.get(columns), saving) or error


def _refuse_known_id(connection: sqlite3.Connection, saving: Saving) -> None:
    if connection.execute("SELECT 1 FROM orders WHERE id = ?", (saving.order.id,)).fetchone():
        raise ConcurrentUpdate(saving.order.id)


def _add_request(connection: sqlite3.Connection, saving: Saving) -> None:
    if saving.request is None:
        return
    request = saving.request
    row = (request.customer_id, request.route, request.key, request.body_fingerprint)
    if not connection.execute(_ADD_REQUEST, (*row, saving.order.id)).rowcount:
        raise IdempotencyKeyReused(request.key)


def _pass_guard(connection: sqlite3.Connection, saving: Saving, asked_at_us: int) -> None:
    guard = saving.guard
    if guard is None or not guard.window:
        return
    row = {
        "fingerprint": guard.content_fingerprint,
        "order_id": saving.order.id,
        "window_us": microseconds(guard.window + guard.waited),
        "asked_at_us": asked_at_us,
    }
    if not connection.execute(_GUARD, row).rowcount:
        raise possible_duplicate(saving)


def _stored_order(saving: Saving) -> dict[str, Any]:
    row = saving.order_row()
    row["items"] = json_text(row["items"])
    row["shipping_address"] = json_text(row["shipping_address"])
    row["shipments"] = json_text(row["shipments"]) if row["shipments"] else None
    row["version"] = saving.order.version + 1
    return row


def _add_order(connection: sqlite3.Connection, saving: Saving) -> None:
    row = _stored_order(saving)
    connection.execute(
        f"INSERT INTO orders ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})",
        row,
    )


def _replace_order(connection: sqlite3.Connection, saving: Saving) -> None:
    row = _stored_order(saving)
    changes = ", ".join(f"{name} = :{name}" for name in row if name != "id")
    changed = connection.execute(
        f"UPDATE orders SET {changes} WHERE id = :id AND version = :version - 1",
        row,
    )
    if not changed.rowcount:
        raise ConcurrentUpdate(saving.order.id)


def _take(connection: sqlite3.Connection, saving: Saving) -> bool:
    if saving.take is None:
        return False
    lease = {
        "id": saving.order.id,
        "token": saving.take.token,
        "duration": microseconds(saving.take.duration),
        "by_request": saving.take.by_request,
    }
    return connection.execute(_TAKE, lease).rowcount == 1
