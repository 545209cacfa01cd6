"""The tables of the pretended provider's books."""

from typing import Final

STATEMENTS: Final = (
    "CREATE TABLE IF NOT EXISTS account (id TEXT NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS movements (
        number INTEGER PRIMARY KEY,
        reference TEXT NOT NULL UNIQUE,
        transaction_id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        installation TEXT NOT NULL,
        kind TEXT NOT NULL,
        minor_units INTEGER NOT NULL,
        currency TEXT NOT NULL,
        standing TEXT NOT NULL,
        token TEXT NOT NULL,
        reason TEXT NOT NULL,
        retryable INTEGER NOT NULL,
        parent_reference TEXT,
        return_url TEXT,
        at REAL NOT NULL,
        settles_at REAL,
        settles_as TEXT
    )
    """,
    "CREATE INDEX IF NOT EXISTS movement_of_transaction ON movements (transaction_id)",
    "CREATE INDEX IF NOT EXISTS movements_of_parent ON movements (parent_reference)",
    """
    CREATE INDEX IF NOT EXISTS movements_that_settle ON movements (settles_at)
    WHERE standing = 'pending'
    """,
    """
    CREATE TABLE IF NOT EXISTS answers (
        key TEXT PRIMARY KEY, request TEXT NOT NULL, answer TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE TABLE IF NOT EXISTS sent_away (key TEXT PRIMARY KEY) WITHOUT ROWID",
    """
    CREATE TABLE IF NOT EXISTS used_tokens (
        token TEXT PRIMARY KEY, transaction_id TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)
