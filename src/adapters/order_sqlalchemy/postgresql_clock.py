"""What the server's clock shows, as far as its answers tell."""

import time
from typing import Final

_TRUSTED_FOR_US: Final = 3_600_000_000
"""Two clocks drift apart: in an hour mostly by less than a second."""

_JUST_NOW_US: Final = 1_000_000

# Of Python's clocks only this one goes on while the machine is suspended.
_GOES_ON: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class ServerClock:
    """Tells the server's time without asking, from its latest answer that said it.

    The answer was under way, so the server's clock showed no less by then; unless it was set back
    since.
    """

    def __init__(self) -> None:
        self._ahead_us = 0
        """Of our own clock, which nobody sets."""
        self._heard_at_us: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether there was an answer lately."""
        heard = self._heard_at_us
        return heard is not None and own_us() - heard <= _TRUSTED_FOR_US

    def heard(self, now_us: int) -> None:
        """An answer has come that says what the server's clock showed."""
        self._heard_at_us = own_us()
        self._ahead_us = now_us - self._heard_at_us

    def doubt(self) -> None:
        """What it says may be wrong: ask again, unless that was heard just now."""
        if self._heard_at_us is not None and own_us() - self._heard_at_us > _JUST_NOW_US:
            self._heard_at_us = None

    def at_least_us(self, at_us: int) -> int:
        """What it showed, or more, when our own clock showed `at_us`. It must be known."""
        return at_us + self._ahead_us


def own_us() -> int:
    """What a clock of this process shows that nobody sets."""
    return time.clock_gettime_ns(_GOES_ON) // 1000
