"""The counts of one limit in the memory of this process, never more than so many.

The memory of the package `limits` keeps every key that anybody ever invents until it expires,
and each hit starts a walk over all of them in the event loop: a million addresses would stop it.
Its way to a count, which fits every kind of storage, costs more than the count: each request
goes it three times.
"""

from collections.abc import Callable
from math import floor
from typing import Final

from order_limits.quota import Quota, quota_of
from order_limits.rate import Rate

MOST_KEYS: Final = 32_768
"""In each of two windows: about fifteen megabytes for one limit at the most."""


class SlidingCounts:
    """All windows of a limit begin at the same moments; what is two windows old is gone.

    When more keys come than there is room for, the window ends early for all: the limit becomes
    a little looser, and never a stranger's burden.
    """

    def __init__(
        self, name: str, rate: Rate, clock: Callable[[], float], *, most_keys: int = MOST_KEYS
    ) -> None:
        self._name = name
        self._rate = rate
        self._clock = clock
        self._most_keys = most_keys
        self._window = 0
        self._before: dict[str, int] = {}
        self._now: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._before) + len(self._now)

    def hit(self, key: str) -> bool:
        """Count once more; False, and nothing counted, where the limit is reached."""
        return self._hit(key, self._roll())

    def look(self, key: str) -> Quota:
        """What is left."""
        return self._look(key, self._roll())

    def take(self, key: str) -> tuple[bool, Quota]:
        """Both, at one moment."""
        elapsed = self._roll()
        return self._hit(key, elapsed), self._look(key, elapsed)

    def _hit(self, key: str, elapsed: float) -> bool:
        counted = self._now.get(key, 0)
        weighed = self._before.get(key, 0) * (1 - elapsed) + counted
        if floor(weighed) >= self._rate.amount:
            return False
        if not counted and len(self._now) >= self._most_keys:
            self._before, self._now = self._now, {}
        self._now[key] = counted + 1
        return True

    def _look(self, key: str, elapsed: float) -> Quota:
        left = (1 - elapsed) * self._rate.window_seconds
        return quota_of(
            self._name,
            self._rate,
            before=self._before.get(key, 0),
            before_left=left,
            present=self._now.get(key, 0),
            present_left=left + self._rate.window_seconds,
        )

    def _roll(self) -> float:
        """Begin a new window if it is time; how much of the present one is over, below 1."""
        windows = self._clock() / self._rate.window_seconds
        number = int(windows)
        if number != self._window:
            self._before = self._now if number == self._window + 1 else {}
            self._now = {}
            self._window = number
        return windows - number
