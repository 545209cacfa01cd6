"""Counts in this process, one table for each limit."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from order_limits.quota import Quota
from order_limits.rate import Rate
from order_limits.sliding_counts import MOST_KEYS, SlidingCounts

LONGEST_KEY: Final = 300


class MemoryCounts:
    """Each process counts for itself, and begins at nothing when it starts.

    `policies` names the limits; those that are off have no place in it.
    """

    shared_is_up = True
    """There is nothing shared that could be down."""

    def __init__(
        self,
        policies: Mapping[str, Rate],
        *,
        most_keys: int = MOST_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policies = frozenset(policies)
        self._counts = {
            name: SlidingCounts(name, rate, clock, most_keys=most_keys)
            for name, rate in policies.items()
        }

    @property
    def names(self) -> int:
        """How many are remembered at present, in all limits together."""
        return sum(map(len, self._counts.values()))

    async def count(self, policy: str, key: str) -> bool:
        """Count once more; False, and nothing counted, where the limit is reached."""
        return self._counts[policy].hit(key[:LONGEST_KEY])

    async def look(self, *counted: tuple[str, str]) -> list[Quota]:
        """What is left of each (policy, key); nothing is counted."""
        return [self._counts[policy].look(key[:LONGEST_KEY]) for policy, key in counted]

    async def take(self, policy: str, key: str) -> tuple[bool, Quota]:
        """Count once more, and say what is left then."""
        return self._counts[policy].take(key[:LONGEST_KEY])

    async def close(self) -> None:
        """There is nothing to close."""
