"""The parcels of an order."""

import sqlalchemy as sa

from order_sqlalchemy.migrations.beside_traffic import add_column

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add a column. No order of before has left by this program."""
    add_column("orders", "shipments", sa.JSON())
