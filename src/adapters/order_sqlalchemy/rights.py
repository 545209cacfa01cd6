"""The least that a role of PostgreSQL needs to serve: no DDL, and no history rewritten."""

from collections.abc import Iterator, Mapping
from typing import Final

SERVING: Final[Mapping[str, tuple[str, ...]]] = {
    "alembic_version": ("SELECT",),
    "orders": ("SELECT", "INSERT", "UPDATE"),
    "payment_transactions": ("SELECT", "INSERT", "UPDATE"),
    # What happened is added, and only what became of telling it changes.
    "order_events": (
        "SELECT",
        "INSERT",
        "UPDATE (tell_at_us, told_at_us, attempts, given_up_because)",
    ),
    "idempotency_records": ("SELECT", "INSERT"),
    "order_fingerprints": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "received_events": ("SELECT", "INSERT", "UPDATE (verdict, order_id)", "DELETE"),
    "event_records": ("SELECT", "INSERT", "UPDATE (taken_in_until_us)"),
    "oauth_clients": ("SELECT",),
    "oauth_grants": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "oauth_signing_keys": ("SELECT", "INSERT", "DELETE"),
}
"""What `serve` and `worker` do to each table, and nothing besides."""

ERASING: Final[Mapping[str, tuple[str, ...]]] = {"order_events": ("UPDATE (data)",)}
"""What `customer erase` needs besides: the words of a review are in the history."""

ADDING_CLIENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "oauth_clients": ("INSERT", "UPDATE", "DELETE")
}
"""What `client` needs besides."""


def grants(role: str) -> str:
    """The statements that give these rights, to be run by the owner of the tables.

    Raises:
        ValueError: no role can be called so.
    """
    if not role or "\0" in role:
        raise ValueError("a role needs a name")
    return "\n".join(_lines('"' + role.replace('"', '""') + '"'))


def _lines(role: str) -> Iterator[str]:
    # PostgreSQL 14 and older let everybody make tables there.
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
    yield f"GRANT USAGE ON SCHEMA public TO {role};"
    for table, rights in SERVING.items():
        yield f"GRANT {', '.join(rights)} ON {table} TO {role};"
    yield "-- For a role that runs `order-core customer erase` or `order-core client`, these too:"
    for more in (ERASING, ADDING_CLIENTS):
        for table, rights in more.items():
            yield f"-- GRANT {', '.join(rights)} ON {table} TO {role};"
