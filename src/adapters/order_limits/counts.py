"""Counts in this process, one table for each limit."""

import time
from collections.abc import Callable, Mapping
from math import ceil
from typing import Final

from limits import RateLimitItemPerSecond
from limits.aio.storage import Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from order_limits.bounded_memory import MOST_KEYS, BoundedMemory
from order_limits.quota import Quota
from order_limits.rate import Rate

LONGEST_KEY: Final = 300


class Policy:
    """One limit over one storage."""

    def __init__(self, name: str, rate: Rate, storage: Storage) -> None:
        self._name = name
        self._rate = rate
        self._item = RateLimitItemPerSecond(rate.amount, rate.window_seconds, namespace=name)
        self._windows = SlidingWindowCounterRateLimiter(storage)

    async def count(self, key: str) -> bool:
        return await self._windows.hit(self._item, key[:LONGEST_KEY])

    async def look(self, key: str) -> Quota:
        stats = await self._windows.get_window_stats(self._item, key[:LONGEST_KEY])
        return Quota(
            self._name,
            self._rate.amount,
            self._rate.window_seconds,
            stats.remaining,
            max(0, ceil(stats.reset_time - time.time())),
        )


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
        self._memories = {
            name: BoundedMemory(most_keys=most_keys, clock=clock) for name in policies
        }
        self._policies = {
            name: Policy(name, rate, self._memories[name]) for name, rate in policies.items()
        }

    @property
    def names(self) -> int:
        """How many are remembered at present, in all limits together."""
        return sum(len(memory) for memory in self._memories.values())

    async def count(self, policy: str, key: str) -> bool:
        """Count once more; False, and nothing counted, where the limit is reached."""
        return await self._policies[policy].count(key)

    async def look(self, *counted: tuple[str, str]) -> list[Quota]:
        """What is left of each (policy, key); nothing is counted."""
        return [await self._policies[policy].look(key) for policy, key in counted]

    async def close(self) -> None:
        """There is nothing to close."""
