"""In which order a provider told of a movement, so that a late word undoes no later one."""

import sqlalchemy as sa

from order_sqlalchemy.migrations.beside_traffic import add_column

revision = "0007"
down_revision = "0005"


def upgrade() -> None:
    """Add a column. What was told before has no place, and its order of arrival counts."""
    add_column("payment_transactions", "provider_sequence", sa.BigInteger())
