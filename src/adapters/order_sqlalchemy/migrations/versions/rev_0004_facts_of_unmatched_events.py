"""What an event says whose payment is not known yet, so that it is not lost until it is."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TO_MATCH = "verdict = 'unknown_transaction' AND facts IS NOT NULL"


def upgrade() -> None:
    """Add `facts` to `received_events`. Events from before have none, and wait for a person."""
    op.add_column("received_events", sa.Column("facts", sa.JSON(), nullable=True))
    op.create_index(
        "ix_received_events_to_match",
        "received_events",
        ["received_at_us", "provider", "event_id"],
        unique=False,
        postgresql_where=sa.text(_TO_MATCH),
        sqlite_where=sa.text(_TO_MATCH),
    )
