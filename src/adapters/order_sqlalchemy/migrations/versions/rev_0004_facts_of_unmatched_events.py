"""What an event says whose payment is not known yet, so that it is not lost until it is."""

import sqlalchemy as sa

from order_sqlalchemy.migrations.beside_traffic import add_column, create_index

revision = "0004"
down_revision = "0003"

_TO_MATCH = "verdict = 'unknown_transaction' AND facts IS NOT NULL"


def upgrade() -> None:
    """Add `facts` to `received_events`. Events from before have none, and wait for a person."""
    add_column("received_events", "facts", sa.JSON())
    create_index(
        "ix_received_events_to_match",
        "received_events",
        ["received_at_us", "provider", "event_id"],
        where=_TO_MATCH,
    )
