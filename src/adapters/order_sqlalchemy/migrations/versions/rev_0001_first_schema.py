"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# By code point, as SQLite sorts: pages continue after an id.
_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_PLACED = "status NOT IN ('awaiting_payment', 'payment_failed')"
_TO_ATTEND = "attend_at_us IS NOT NULL"
_LATE_MONEY = "name = 'late_payment_received'"
_TO_TELL = "tell_at_us IS NOT NULL"
_OPEN = "status IN ('action_required', 'pending', 'recorded', 'unknown')"
_ONE_LIVE_CHARGE = (
    "kind IN ('authorization', 'charge') AND origin = 'ours' AND status NOT IN "
    "('declined', 'failed', 'voided')"
)
_HOLDS_REFERENCE = (
    "provider_reference IS NOT NULL AND kind IN ('authorization', 'charge') AND status "
    "NOT IN ('declined', 'failed', 'voided')"
)
_HOLDS_FINGERPRINT = (
    "single_use_fingerprint IS NOT NULL AND kind IN ('authorization', 'charge') AND "
    "status NOT IN ('declined', 'failed')"
)


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "order_fingerprints",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_order_fingerprints"),
    )
    op.create_index("ix_order_fingerprints_order", "order_fingerprints", ["order_id"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", _ID, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("shipping_address", sa.JSON(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("refund_asked_minor", sa.BigInteger(), nullable=False),
        sa.Column("attend_at_us", sa.BigInteger(), nullable=True),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_until_us", sa.BigInteger(), nullable=True),
        sa.Column("lease_by_request", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint(
            "status IN ('awaiting_payment', 'cancelled', 'delivered', 'payment_failed', "
            "'pending', 'processing', 'shipped')",
            name="ck_orders_status",
        ),
        sa.CheckConstraint(
            "(lease_token IS NULL) = (lease_until_us IS NULL)", name="ck_orders_lease_whole"
        ),
        sa.CheckConstraint(
            "captured_minor >= 0 AND refunded_minor >= 0 AND refund_asked_minor >= 0",
            name="ck_orders_sums_not_negative",
        ),
        sa.CheckConstraint("event_count >= 0", name="ck_orders_event_count"),
        sa.CheckConstraint("length(currency) = 3", name="ck_orders_currency"),
        sa.CheckConstraint(
            "refund_asked_minor <= captured_minor", name="ck_orders_refund_asked_within_captured"
        ),
        sa.CheckConstraint("total_minor > 0", name="ck_orders_total_positive"),
        sa.CheckConstraint("version >= 1", name="ck_orders_version"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
    )
    op.create_index(
        "ix_orders_newest",
        "orders",
        [sa.literal_column("created_at_us DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_orders_of_customer",
        "orders",
        ["customer_id", sa.literal_column("created_at_us DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_orders_placed_of_customer",
        "orders",
        ["customer_id", sa.literal_column("created_at_us DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text(_PLACED),
        sqlite_where=sa.text(_PLACED),
    )
    op.create_index(
        "ix_orders_to_attend",
        "orders",
        ["attend_at_us"],
        unique=False,
        postgresql_where=sa.text(_TO_ATTEND),
        sqlite_where=sa.text(_TO_ATTEND),
    )
    op.create_table(
        "idempotency_records",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_fingerprint", sa.Text(), nullable=False),
        sa.Column("order_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_idempotency_records_order"),
        sa.PrimaryKeyConstraint("customer_id", "route", "key", name="pk_idempotency_records"),
    )
    op.create_table(
        "order_events",
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("tell_at_us", sa.BigInteger(), nullable=True),
        sa.Column("told_at_us", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("given_up_because", sa.Text(), nullable=True),
        sa.CheckConstraint("attempts >= 0", name="ck_order_events_attempts"),
        sa.CheckConstraint("sequence >= 1", name="ck_order_events_sequence"),
        sa.CheckConstraint(
            "tell_at_us IS NULL OR (told_at_us IS NULL AND given_up_because IS NULL)",
            name="ck_order_events_told_once",
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_events_order"),
        sa.PrimaryKeyConstraint("order_id", "sequence", name="pk_order_events"),
    )
    op.create_index(
        "ix_order_events_late_money",
        "order_events",
        ["order_id"],
        unique=False,
        postgresql_where=sa.text(_LATE_MONEY),
        sqlite_where=sa.text(_LATE_MONEY),
    )
    op.create_index(
        "ix_order_events_to_tell",
        "order_events",
        ["tell_at_us"],
        unique=False,
        postgresql_where=sa.text(_TO_TELL),
        sqlite_where=sa.text(_TO_TELL),
    )
    op.create_table(
        "payment_transactions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("installation", sa.Text(), nullable=False),
        sa.Column("request_version", sa.Text(), nullable=False),
        sa.Column("recorded_at_us", sa.BigInteger(), nullable=False),
        sa.Column("send_until_us", sa.BigInteger(), nullable=False),
        sa.Column("horizon_us", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("single_use_fingerprint", sa.Text(), nullable=True),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("parent_reference", sa.Text(), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("never_ran", sa.Integer(), nullable=False),
        sa.Column("last_send_at_us", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attend_at_us", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("retryable", sa.Boolean(), nullable=False),
        sa.Column("review", sa.Text(), nullable=True),
        sa.Column("action_url", sa.Text(), nullable=True),
        sa.Column("client_secret", sa.Text(), nullable=True),
        sa.Column("action_expires_at_us", sa.BigInteger(), nullable=True),
        sa.Column("capture_before_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "amount_minor > 0 OR (amount_minor = 0 AND origin = 'provider')",
            name="ck_payment_transactions_amount_positive",
        ),
        sa.CheckConstraint(
            "kind IN ('authorization', 'capture', 'charge', 'refund', 'void')",
            name="ck_payment_transactions_kind",
        ),
        sa.CheckConstraint("origin IN ('ours', 'provider')", name="ck_payment_transactions_origin"),
        sa.CheckConstraint(
            "status IN ('action_required', 'authorized', 'declined', 'failed', "
            "'in_review', 'pending', 'recorded', 'succeeded', 'unknown', 'voided')",
            name="ck_payment_transactions_status",
        ),
        sa.CheckConstraint("length(currency) = 3", name="ck_payment_transactions_currency"),
        sa.CheckConstraint("position >= 0", name="ck_payment_transactions_position"),
        sa.CheckConstraint(
            "step >= 1 AND never_ran >= 0 AND sends >= never_ran AND attempts >= 0",
            name="ck_payment_transactions_counts",
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payment_transactions_order"),
        sa.PrimaryKeyConstraint("order_id", "position", name="pk_payment_transactions"),
        sa.UniqueConstraint("id", name="uq_payment_transactions_id"),
    )
    op.create_index(
        "ix_payment_transactions_open",
        "payment_transactions",
        ["recorded_at_us"],
        unique=False,
        postgresql_where=sa.text(_OPEN),
        sqlite_where=sa.text(_OPEN),
    )
    op.create_index(
        "uq_payment_transactions_one_live_charge",
        "payment_transactions",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text(_ONE_LIVE_CHARGE),
        sqlite_where=sa.text(_ONE_LIVE_CHARGE),
    )
    op.create_index(
        "uq_payment_transactions_reference",
        "payment_transactions",
        ["provider", "account", "provider_reference"],
        unique=True,
        postgresql_where=sa.text(_HOLDS_REFERENCE),
        sqlite_where=sa.text(_HOLDS_REFERENCE),
    )
    op.create_index(
        "uq_payment_transactions_single_use",
        "payment_transactions",
        ["single_use_fingerprint"],
        unique=True,
        postgresql_where=sa.text(_HOLDS_FINGERPRINT),
        sqlite_where=sa.text(_HOLDS_FINGERPRINT),
    )
