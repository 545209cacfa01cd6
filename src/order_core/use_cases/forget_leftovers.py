"""Forget what is kept beside the orders, once it is too old to matter."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from order_core.ports import Clock, Leftovers

KEPT_FOR: Final = timedelta(days=90)
"""Longer than any provider repeats an event, and than any window for double clicks."""

PAUSE: Final = timedelta(hours=1)
"""Between a round that found little and the next."""


@dataclass(slots=True)
class ForgetLeftovers:
    """A chore of the worker: a few at a time, so that nobody waits for it."""

    leftovers: Leftovers | None
    clock: Clock
    _rests_until: datetime | None = field(default=None, init=False)

    async def __call__(self, *, limit: int = 20) -> int:
        """Forget at most `limit` of each kind; how many of the kind of which there were more.

        0 at once, and without asking the store, while it rests, or if there is no store.

        Raises:
            StoreUnavailable: the rest is forgotten later.
        """
        now = self.clock.now()
        if self.leftovers is None or self._rests(now):
            return 0
        before = now - KEPT_FOR
        events = await self.leftovers.forget_events(before=before, limit=limit)
        contents = await self.leftovers.forget_contents(before=before, limit=limit)
        most = max(events, contents)
        self._rests_until = now + PAUSE if most < limit else None
        return most

    def _rests(self, now: datetime) -> bool:
        # A clock that was set back must not lengthen the pause.
        until = self._rests_until
        return until is not None and now < until <= now + PAUSE
