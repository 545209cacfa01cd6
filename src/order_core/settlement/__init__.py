"""What a fact about a movement of money does to its order.

Results of calls, look-ups and webhooks all come through `settled`. A fact that arrives
twice, late or out of order does no harm: what is known already changes nothing, and
what contradicts a final word is stored beside it, never over it.
"""

from order_core.settlement.absent import beyond_proof
from order_core.settlement.fact import believed, settled
from order_core.settlement.provider_moves import moved_by_provider
from order_core.settlement.refused import (
    ALREADY_USED,
    FIRST_REFUND_PAUSE,
    MAX_ABSENCES,
    MAX_REFUSALS,
)

__all__ = [
    "ALREADY_USED",
    "FIRST_REFUND_PAUSE",
    "MAX_ABSENCES",
    "MAX_REFUSALS",
    "believed",
    "beyond_proof",
    "moved_by_provider",
    "settled",
]
