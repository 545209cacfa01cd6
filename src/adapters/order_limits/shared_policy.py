"""One limit over a storage that several processes share."""

from collections.abc import Coroutine
from typing import Any, Protocol

from limits import RateLimitItemPerSecond
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from order_limits.counts import LONGEST_KEY
from order_limits.quota import Quota, quota_of
from order_limits.rate import Rate


class SlidingWindows(Protocol):
    """What `limits` asks of a storage whose windows slide."""

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The count before and how long it weighs, the present one and when it is forgotten."""
        ...


class SharedPolicy:
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
        before, before_left, present, present_left = await self._storage.get_sliding_window(
            named, self._rate.window_seconds
        )
        return quota_of(
            self._name,
            self._rate,
            before=before,
            before_left=before_left,
            present=present,
            present_left=present_left,
        )

    async def take(self, key: str) -> tuple[bool, Quota]:
        return await self.count(key), await self.look(key)
