"""A clock that is set by hand."""

from datetime import UTC, datetime, timedelta
from typing import Final

_START: Final = datetime(2030, 1, 1, 12, tzinfo=UTC)


class ManualClock:
    """Stands still until somebody advances it, or sleeps: then it jumps at once."""

    def __init__(self, start: datetime = _START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float, /) -> None:
        self.advance(timedelta(seconds=max(seconds, 0)))

    def advance(self, by: timedelta, /) -> None:
        """Let `by` pass. Time never goes back: a negative duration is a bug of the caller."""
        if by < timedelta(0):
            raise ValueError(f"a clock does not go back by {-by}")
        self._now += by

    def set(self, to: datetime, /) -> None:
        """Make it `to`, which must not be earlier than now."""
        self.advance(to - self._now)
