"""Counts in the memory of this process, of which there are never more than so many.

The memory of the package `limits` keeps every key that anybody ever invents until it expires,
and each hit starts a walk over all of them in the event loop: a million addresses would stop it.
"""

import time
from collections.abc import Callable
from math import floor
from typing import Final

from limits.aio.storage import SlidingWindowCounterSupport, Storage

MOST_KEYS: Final = 32_768
"""In each of two windows: about fifteen megabytes for one limit at the most."""


class BoundedMemory(Storage, SlidingWindowCounterSupport):
    """The counts of one limit. All its windows begin at the same moments.

    Counts that are two windows old are gone. When more keys come than there is room for, the
    window ends early for all: the limit becomes a little looser, and never a stranger's burden.
    """

    STORAGE_SCHEME = None

    def __init__(
        self, *, most_keys: int = MOST_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._most_keys = most_keys
        self._clock = clock
        self._window = 0
        self._before: dict[str, int] = {}
        self._now: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._before) + len(self._now)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    async def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        elapsed = self._roll(expiry)
        counted = self._now.get(key, 0)
        if floor(self._before.get(key, 0) * (1 - elapsed) + counted) + amount > limit:
            return False
        if not counted and len(self._now) >= self._most_keys:
            self._before, self._now = self._now, {}
        self._now[key] = counted + amount
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        left = (1 - self._roll(expiry)) * expiry
        before = self._before.get(key, 0)
        return before, left if before else 0.0, self._now.get(key, 0), left + expiry

    def _roll(self, expiry: int) -> float:
        """Begin a new window if it is time; how much of the present one is over, below 1."""
        windows = self._clock() / expiry
        number = int(windows)
        if number != self._window:
            self._before = self._now if number == self._window + 1 else {}
            self._now = {}
            self._window = number
        return windows - number

    async def clear_sliding_window(self, key: str, expiry: int) -> None:  # noqa: ARG002 - of the interface
        self._before.pop(key, None)
        self._now.pop(key, None)

    async def clear(self, key: str) -> None:
        await self.clear_sliding_window(key, 0)

    async def reset(self) -> int | None:
        gone = len(self)
        self._before, self._now = {}, {}
        return gone

    async def check(self) -> bool:
        return True

    # Fixed windows, which nobody here asks for ---------------------------------------------

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError

    async def get(self, key: str) -> int:
        raise NotImplementedError

    async def get_expiry(self, key: str) -> float:
        raise NotImplementedError
