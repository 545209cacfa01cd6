"""Whether this process may trust its clock where another process reads what it stamped."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from order_core.errors import ClockAskew
from order_core.ports.clock import Clock, StoreClock

EVERY: Final = timedelta(seconds=30)
"""So long a clock that was right is trusted; one that was wrong is compared each time."""


@dataclass(slots=True)
class ClockCheck:
    """Compares the own clock with the store's.

    Half of the allowed skew is allowed here: two processes that each differ from the store
    by that much differ from each other by the whole of it.
    """

    clock: Clock
    store_clock: StoreClock
    skew: timedelta
    _right_at: datetime | None = field(default=None, init=False)

    async def __call__(self) -> None:
        """Come back if the clock is right, or was within the last `EVERY`.

        Raises:
            ClockAskew: it is certainly wrong, even if the answer took all of its time in
                one direction.
            StoreUnavailable: it cannot be compared.
        """
        before = self.clock.now()
        # Also when it was set back since.
        if self._right_at is not None and self._right_at <= before < self._right_at + EVERY:
            return
        self._right_at = None
        theirs = await self.store_clock.now()
        after = self.clock.now()
        ahead, allowed = _ahead_by(before, theirs, after), self.skew / 2
        if abs(ahead) > allowed:
            raise ClockAskew(ahead.total_seconds(), allowed.total_seconds())
        self._right_at = after


def _ahead_by(before: datetime, theirs: datetime, after: datetime) -> timedelta:
    if theirs < before:
        return before - theirs
    return min(after - theirs, timedelta(0))
