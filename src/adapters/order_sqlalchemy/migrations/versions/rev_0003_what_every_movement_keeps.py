"""What must be true of every movement, and one row shows: now the database refuses the rest."""

from alembic import op

from order_sqlalchemy.migrations.beside_traffic import add_checks

revision = "0003"
down_revision = "0002"

_OPEN = "status IN ('action_required', 'pending', 'recorded', 'unknown')"
_NOT_OPEN = "status NOT IN ('action_required', 'pending', 'recorded', 'unknown')"
_BEGINS = "position > 0 OR (kind IN ('authorization', 'charge') AND origin = 'ours')"
_ATTENDED = f"{_NOT_OPEN} OR attend_at_us IS NOT NULL"
_ERASED = f"{_OPEN} OR (token IS NULL AND client_secret IS NULL)"


def upgrade() -> None:
    """Mend what an older program may have left, and never let it come again."""
    add_checks(
        "payment_transactions",
        {
            "ck_payment_transactions_begins_with_charge": _BEGINS,
            "ck_payment_transactions_open_attended": _ATTENDED,
            "ck_payment_transactions_secrets_erased": _ERASED,
        },
        mend=_mend,
    )


def _mend() -> None:
    op.execute(
        "UPDATE payment_transactions SET token = NULL, client_secret = NULL "  # noqa: S608
        f"WHERE {_NOT_OPEN} AND (token IS NOT NULL OR client_secret IS NOT NULL)"
    )
    # Whoever looks after the order looks after its movements: both from their record on.
    op.execute(
        "UPDATE orders SET attend_at_us = created_at_us WHERE attend_at_us IS NULL AND id IN "  # noqa: S608
        f"(SELECT order_id FROM payment_transactions WHERE {_OPEN} AND attend_at_us IS NULL)"
    )
    op.execute(
        "UPDATE payment_transactions SET attend_at_us = "  # noqa: S608
        "(SELECT attend_at_us FROM orders WHERE orders.id = payment_transactions.order_id) "
        f"WHERE {_OPEN} AND attend_at_us IS NULL"
    )
