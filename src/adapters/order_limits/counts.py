"""Counts in this process, one table for each limit."""

import time
from collections.abc import Callable, Coroutine, Mapping
from math import floor
from typing import Any, Final, Protocol

from limits import RateLimitItemPerSecond
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from order_limits.bounded_memory import MOST_KEYS, BoundedMemory
from order_limits.quota import Quota
from order_limits.rate import Rate

LONGEST_KEY: Final = 300


class SlidingWindows(Protocol):
    """What `limits` asks of a storage whose windows slide."""

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The count before and how long it weighs, the present one and when it is forgotten."""
        ...


class Policy:
    """One limit over one storage, which `windows` counts in."""

    def __init__(
        self,
        name: str,
        rate: Rate,
        windows: SlidingWindowCounterRateLimiter,
        storage: SlidingWindows,
    ) -> None:
        self._name = name
        self._rate = rate
        self._item = RateLimitItemPerSecond(rate.amount, rate.window_seconds, namespace=name)
        self._windows = windows
        self._storage = storage

    def count(self, key: str) -> Coroutine[Any, Any, bool]:
        return self._windows.hit(self._item, key[:LONGEST_KEY])

    async def look(self, key: str) -> Quota:
        named = self._item.key_for(key[:LONGEST_KEY])
        found = await self._storage.get_sliding_window(named, self._rate.window_seconds)
        return self._quota(*found)

    async def take(self, key: str) -> tuple[bool, Quota]:
        return await self.count(key), await self.look(key)

    def _quota(self, before: int, before_left: float, present: int, present_left: float) -> Quota:
        amount, window = self._rate.amount, self._rate.window_seconds
        counted = floor(before * before_left / window + present)
        if not counted:
            wait = 0
        elif counted > present:
            # One of those before weighs no more.
            wait = floor(before_left - (counted - present) * window / before) + 1
        else:
            # This window ends, and what it counted begins to weigh less.
            wait = floor(present_left - window) + 1
        return Quota(self._name, amount, window, max(0, amount - counted), max(0, wait))


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
            name: Policy(name, policies[name], SlidingWindowCounterRateLimiter(memory), memory)
            for name, memory in self._memories.items()
        }

    @property
    def names(self) -> int:
        """How many are remembered at present, in all limits together."""
        return sum(len(memory) for memory in self._memories.values())

    def count(self, policy: str, key: str) -> Coroutine[Any, Any, bool]:
        """Count once more; False, and nothing counted, where the limit is reached."""
        return self._policies[policy].count(key)

    async def look(self, *counted: tuple[str, str]) -> list[Quota]:
        """What is left of each (policy, key); nothing is counted."""
        return [await self._policies[policy].look(key) for policy, key in counted]

    def take(self, policy: str, key: str) -> Coroutine[Any, Any, tuple[bool, Quota]]:
        """Count once more, and say what is left then."""
        return self._policies[policy].take(key)

    async def close(self) -> None:
        """There is nothing to close."""
