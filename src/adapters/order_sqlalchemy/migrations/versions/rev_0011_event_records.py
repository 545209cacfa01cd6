"""How far each provider's own record of its events was taken in."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add a table; nothing that was there changes."""
    op.create_table(
        "event_records",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("installation", sa.Text(), nullable=False),
        sa.Column("taken_in_until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "account", "installation", name="pk_event_records"),
    )
