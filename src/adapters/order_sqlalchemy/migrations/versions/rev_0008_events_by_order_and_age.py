"""The events of one order, for whoever asks what is kept, and the old ones, which go."""

from order_sqlalchemy.migrations.beside_traffic import create_index

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add two indexes; no row changes."""
    create_index(
        "ix_received_events_of_order",
        "received_events",
        ["order_id"],
        where="order_id IS NOT NULL",
    )
    create_index(
        "ix_received_events_done",
        "received_events",
        ["received_at_us"],
        where="verdict <> 'unknown_transaction'",
    )
