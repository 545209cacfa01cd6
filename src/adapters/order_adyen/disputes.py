"""What a dispute's event says: whether the money is gone, lost or ours again.

Source: https://docs.adyen.com/risk-management/disputes-api/dispute-notifications. All events of a
dispute have its own reference, and most have a status, which Adyen does not sign, and does not
send for payments in Brazil.
"""

from enum import Enum, auto
from typing import Final

from order_core.money import Money
from order_core.outcomes import Restored, Reversed


class _Says(Enum):
    GONE = auto()
    LOST = auto()
    WON = auto()
    WON_IF_TOLD = auto()
    """Only with the status: until then, what came back is lent, and may be charged back again."""
    LOST_IF_TOLD = auto()


_EVENTS: Final = {
    "CHARGEBACK": (1, _Says.GONE),
    "CHARGEBACK_REVERSED": (2, _Says.WON_IF_TOLD),
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": (3, _Says.WON),
    "SECOND_CHARGEBACK": (3, _Says.LOST),
    "DISPUTE_DEFENSE_PERIOD_ENDED": (4, _Says.LOST_IF_TOLD),
    "PREARBITRATION_ACCEPTED": (4, _Says.LOST_IF_TOLD),
    "PREARBITRATION_ISSUER_WITHDRAWN": (4, _Says.WON_IF_TOLD),
    "PREARBITRATION_LOST": (4, _Says.LOST),
    "PREARBITRATION_WON": (4, _Says.WON),
    "SCHEME_ARBITRATION_LOST": (5, _Says.LOST),
    "SCHEME_ARBITRATION_WON": (5, _Says.WON),
}
"""Each with the stage of the dispute: the event's own time is not signed, and whoever replays an
event could choose it."""


def stage_of(name: str) -> int | None:
    """In which order a dispute goes through its events."""
    stage, _ = _EVENTS.get(name, (None, None))
    return stage


def outcome_of(
    name: str, status: str | None, reference: str, amount: Money
) -> Reversed | Restored | None:
    """What the event says of the money; None if it says nothing for certain.

    Lost is believed whoever says so: it gives nothing back. Won is not, against the status.
    """
    if name not in _EVENTS:
        return None
    _, says = _EVENTS[name]
    because = name.lower()
    if says is _Says.LOST or status == "Lost":
        return Reversed(reference, amount, because)
    if says is _Says.GONE:
        return Reversed(reference, amount, because, open=True)
    won = status == "Won" or (says is _Says.WON and status is None)
    if won and says in {_Says.WON, _Says.WON_IF_TOLD}:
        return Restored(reference, amount, because)
    return None
