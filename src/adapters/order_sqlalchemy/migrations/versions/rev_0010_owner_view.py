"""Each order as its owner sees it, so that reading is quick."""

import sqlalchemy as sa

from order_sqlalchemy.migrations.beside_traffic import add_column

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add columns. Orders of before are written down when they change, and read as before."""
    add_column("orders", "owner_view", sa.Text())
    add_column("orders", "owner_view_edition", sa.Text())
    add_column("orders", "owner_view_version", sa.Integer())
