"""Ids that no other process gives, and that grow with time."""

import os
import time
from collections.abc import Callable
from threading import Lock
from typing import Final

_RANDOM_BITS: Final = 74
_LOW_BITS: Final = 62
_ALL_LOW: Final = 2**_LOW_BITS - 1
_STEP_BITS: Final = 32

_DRAW_BYTES: Final = 16
_DRAWS_AT_ONCE: Final = 64
_DRAWN: Final[list[int]] = []
"""Random numbers of the operating system that no id was made from yet."""

# A child must not make its ids from the numbers that its parent makes its own from.
os.register_at_fork(after_in_child=_DRAWN.clear)


class TimeOrderedIds:
    """UUIDs of version 7 (RFC 9562), as 36 characters: each greater than the one before.

    Within one millisecond, and while the machine's clock stands or goes back, the random
    part is counted on by a random step (RFC 9562, 6.2, method 2), so that ids of one
    process still grow and cannot be guessed from each other.
    """

    def __init__(self, milliseconds: Callable[[], int] = lambda: time.time_ns() // 10**6) -> None:
        self._milliseconds = milliseconds
        self._lock = Lock()
        self._last = (0, 0)

    def new_id(self) -> str:
        with self._lock:
            self._last = moment, chance = self._next()
        high, low = chance >> _LOW_BITS, chance & _ALL_LOW
        digits = f"{moment << 80 | 7 << 76 | high << 64 | 2 << 62 | low:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _next(self) -> tuple[int, int]:
        moment, (last_moment, last_chance) = self._milliseconds(), self._last
        if moment <= last_moment:
            counted = last_chance + 1 + _random(_STEP_BITS)
            if counted >> _RANDOM_BITS == 0:
                return last_moment, counted
            moment = last_moment + 1
        # The highest bit is left free at first, as room to count on.
        return moment, _random(_RANDOM_BITS - 1)


def _random(bits: int) -> int:
    """A random number of up to 128 bits; each is given once, whichever thread asks."""
    while True:
        try:
            return _DRAWN.pop() >> 8 * _DRAW_BYTES - bits
        except IndexError:
            # One system call for many ids.
            random = os.urandom(_DRAW_BYTES * _DRAWS_AT_ONCE)
            _DRAWN.extend(
                [
                    int.from_bytes(random[at : at + _DRAW_BYTES], "big")
                    for at in range(0, len(random), _DRAW_BYTES)
                ]
            )
