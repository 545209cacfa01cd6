"""The SQL that lists everything, page by page, in both dialects."""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

from dataclasses import dataclass
from typing import Final

from order_core.events import TOLD_TO_THE_CUSTOMER
from order_core.invariants_across import ClaimKind
from order_sqlalchemy.schema import HOLDS_FINGERPRINT, HOLDS_REFERENCE


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the claims of a kind are. The key's columns are those of an index."""

    table: str
    key: tuple[str, ...]
    condition: str = "1 = 1"


_SOURCES: Final = {
    ClaimKind.REQUEST_KEY: _Source("idempotency_records", ("customer_id", "route", "key")),
    ClaimKind.PAYMENT: _Source(
        "payment_transactions", ("provider", "account", "provider_reference"), HOLDS_REFERENCE
    ),
    ClaimKind.SINGLE_USE_TOKEN: _Source(
        "payment_transactions", ("single_use_fingerprint",), HOLDS_FINGERPRINT
    ),
    ClaimKind.TRANSACTION: _Source("payment_transactions", ("id",)),
    ClaimKind.HISTORY: _Source("order_events", ("order_id",)),
    ClaimKind.RECEIVED_EVENT: _Source(
        "received_events", ("provider", "event_id"), "order_id IS NOT NULL"
    ),
}
_TOLD: Final = ", ".join(f"'{name}'" for name in sorted(e.name for e in TOLD_TO_THE_CUSTOMER))


class AuditStatements:
    """One statement a page. `whole_order` and `events` are of order `o`, in the dialect.

    `owner_view` is what would be shown of it without a look at anything else.
    """

    def __init__(self, *, whole_order: str, events: str, owner_view: str) -> None:
        self.orders: Final = f"""
            SELECT o.id, {owner_view},
                   o.captured_minor, o.refunded_minor, o.refund_asked_minor, o.attend_at_us,
                   (SELECT count(*) FROM order_events n
                    WHERE n.order_id = o.id AND n.name IN ({_TOLD})
                      AND n.told_at_us IS NULL AND n.given_up_because IS NULL
                      AND (n.tell_at_us IS NULL OR n.tell_at_us < $3)),
                   {events}, {whole_order}
            FROM (SELECT * FROM orders WHERE id > $1 ORDER BY id LIMIT $2) o ORDER BY o.id"""
        """Larger ids than `$1`, `$2` of them; untold is what was due before `$3`.

        The owner's view is of the edition `$4`.
        """

        self.first_claims: Final = {kind: _claims(source) for kind, source in _SOURCES.items()}
        """The first `$1` keys."""
        self.next_claims: Final = {
            kind: _claims(source, f"({', '.join(source.key)}) > ({_arguments(source.key)})")
            for kind, source in _SOURCES.items()
        }
        """The next `$1` keys after `$2`, `$3`..."""


def _arguments(key: tuple[str, ...]) -> str:
    return ", ".join(f"${number}" for number, _ in enumerate(key, start=2))


def _claims(source: _Source, after: str = "1 = 1") -> str:
    key = ", ".join(source.key)
    # Whether the orders are there is asked of the page alone, not of the whole table.
    return f"""
        SELECT {", ".join(f"c.{column}" for column in source.key)}, c.held, c.first_id, c.last_id,
               EXISTS (SELECT 1 FROM orders o WHERE o.id = c.first_id),
               EXISTS (SELECT 1 FROM orders o WHERE o.id = c.last_id)
        FROM (
            SELECT {key}, count(*) AS held, min(order_id) AS first_id, max(order_id) AS last_id
            FROM {source.table} WHERE {source.condition} AND {after}
            GROUP BY {key} ORDER BY {key} LIMIT $1
        ) c ORDER BY {", ".join(f"c.{column}" for column in source.key)}"""
