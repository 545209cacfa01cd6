"""What becomes of money that is held."""

from dataclasses import replace
from datetime import datetime

from order_core.order import Order
from order_core.outcomes import Authorized
from order_core.payment_terms import CAPTURE_MARGIN
from order_core.settlement.settling import Settling


def decided_by(settling: Settling, hold_ends: datetime | None) -> datetime:
    """When somebody must decide about a hold, before it ends by itself.

    If nobody says when that is, a look-up may.
    """
    return max(hold_ends - CAPTURE_MARGIN, settling.at) if hold_ends else settling.at


def hold_dated(settling: Settling, outcome: Authorized) -> Order:
    """The end of a hold, told later than the hold itself."""
    ends = outcome.capture_before
    if settling.transaction.capture_before is not None or ends is None:
        return settling.order
    dated = replace(settling.transaction, capture_before=ends, attend_at=decided_by(settling, ends))
    return settling.order.with_transaction(dated)
