"""What the server's clock shows, as far as its answers tell."""

import time
from typing import Final

_TRUSTED_FOR_US: Final = 3_600_000_000
"""Two clocks drift apart; in an hour by less than a second."""


class ServerClock:
    """Tells the server's time without asking, from its latest answer that said it.

    The answer was under way, so the server's clock shows more than this by then, never less: unless
    it was set back since.
    """

    def __init__(self) -> None:
        self._ahead_us: int | None = None
        """Of our own clock, which nobody sets."""
        self._heard_at_us = 0

    def heard(self, now_us: int) -> None:
        """An answer has come that says what the server's clock showed."""
        self._heard_at_us = _own_us()
        self._ahead_us = now_us - self._heard_at_us

    def at_least_us(self) -> int | None:
        """Microseconds since 1970 that it shows now, or more; None: nothing was heard lately."""
        now_us = _own_us()
        if self._ahead_us is None or now_us - self._heard_at_us > _TRUSTED_FOR_US:
            return None
        return now_us + self._ahead_us


def _own_us() -> int:
    return time.monotonic_ns() // 1000
