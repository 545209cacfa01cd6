"""Which order stands in the way of an equal one: the same question to both databases."""

# ruff: noqa: S608 - only names and fixed words of ours become part of the SQL

from typing import Final

from order_core.order_status import OrderStatus
from order_core.payment import TransactionStatus

# A payment that waits for its buyer takes nothing by itself, and a token that pays once says
# nothing about the card: he may be trying another one.
STILL_WAITS: Final = f"""EXISTS (
          SELECT 1 FROM orders e
          JOIN payment_transactions c ON c.order_id = e.id AND c.position = 0
          WHERE e.id = f.order_id AND e.status = '{OrderStatus.AWAITING_PAYMENT}'
            AND (c.status <> '{TransactionStatus.ACTION_REQUIRED}'
                 OR c.single_use_fingerprint IS NULL)
      )"""
"""Whether the order of the row `f` of `order_fingerprints` counts, however old it is."""
