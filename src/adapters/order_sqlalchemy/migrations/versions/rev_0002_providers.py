"""What real providers need: reversals, payments found by reference, received events."""

import sqlalchemy as sa
from alembic import op

from order_sqlalchemy.migrations.beside_traffic import add_checks, create_index

revision = "0002"
down_revision = "0001"

# By code point, as SQLite sorts.
_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KINDS = "kind IN ('authorization', 'capture', 'charge', 'refund', 'reversal', 'void')"
_HAS_REFERENCE = "provider_reference IS NOT NULL AND kind IN ('authorization', 'capture', 'charge')"
_UNFINISHED = (
    "(status IN ('action_required', 'in_review', 'pending', 'recorded', 'unknown') "
    "OR review IS NOT NULL)"
)
_UNMATCHED = "verdict = 'unknown_transaction'"


def upgrade() -> None:
    """Add `received_events`; let transactions be reversals, and be found in new ways."""
    create_index(
        "ix_payment_transactions_by_reference",
        "payment_transactions",
        ["provider", "account", "provider_reference"],
        where=_HAS_REFERENCE,
    )
    create_index(
        "ix_payment_transactions_unfinished",
        "payment_transactions",
        ["recorded_at_us", "order_id"],
        where=_UNFINISHED,
    )
    add_checks("payment_transactions", {"ck_payment_transactions_kind": _KINDS})
    # The one above holds its rows too.
    op.drop_index("ix_payment_transactions_open", "payment_transactions", if_exists=True)
    op.create_table(
        "received_events",
        sa.Column("provider", _ID, nullable=False),
        sa.Column("event_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("received_at_us", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("order_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_received_events_order"),
        sa.PrimaryKeyConstraint("provider", "event_id", name="pk_received_events"),
    )
    op.create_index(
        "ix_received_events_unmatched",
        "received_events",
        [
            sa.literal_column("received_at_us DESC"),
            sa.literal_column("provider DESC"),
            sa.literal_column("event_id DESC"),
        ],
        unique=False,
        postgresql_where=sa.text(_UNMATCHED),
        sqlite_where=sa.text(_UNMATCHED),
    )
