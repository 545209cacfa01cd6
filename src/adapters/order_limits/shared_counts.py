"""Counts in Redis, which all processes share; in this process while Redis does not answer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from order_limits.counts import MemoryCounts
from order_limits.quota import Quota
from order_limits.rate import Rate
from order_limits.shared_policy import SharedPolicy

_PATIENCE_SECONDS: Final = 0.2
"""Longer than Redis ever takes, and short for whoever waits for an order."""
_REST_SECONDS: Final = 5.0
"""After a failure, Redis is left alone so long; then one request tries it again."""
_MOST_CONNECTIONS: Final = 32

_log: Final = logging.getLogger("order_core.limits")

T = TypeVar("T")


class SharedCounts:
    """Limits hold across processes while Redis answers, and in each process while it does not.

    Nobody is refused and nothing fails because Redis is down or slow: a request waits for it
    once, and those that follow do not until it is tried again. The limits in `alone` are never
    counted there.
    """

    def __init__(
        self,
        policies: Mapping[str, Rate],
        url: str,
        *,
        prefix: str,
        alone: frozenset[str] = frozenset(),
        rest_seconds: float = _REST_SECONDS,
    ) -> None:
        self.policies = frozenset(policies)
        self.shared_is_up = True
        self._rest_seconds = rest_seconds
        self._not_before = 0.0
        self._fallback = MemoryCounts(policies)
        self._connections = BlockingConnectionPool.from_url(
            url,
            max_connections=_MOST_CONNECTIONS,
            timeout=_PATIENCE_SECONDS,
            socket_timeout=_PATIENCE_SECONDS,
            socket_connect_timeout=_PATIENCE_SECONDS,
            # Its own patience would outlast every request.
            retry=Retry(NoBackoff(), 0),
        )
        storage = RedisStorage(
            url,
            implementation="redispy",
            key_prefix=prefix,
            connection_pool=self._connections,  # type: ignore[arg-type]  # The types omit it.
        )
        windows = SlidingWindowCounterRateLimiter(storage)
        self._policies = {
            name: SharedPolicy(name, rate, windows, storage)
            for name, rate in policies.items()
            if name not in alone
        }

    async def count(self, policy: str, key: str) -> bool:
        """Count once more; False, and nothing counted, where the limit is reached."""
        if policy not in self._policies:
            return await self._fallback.count(policy, key)
        return await self._ask(
            lambda: self._policies[policy].count(key), lambda: self._fallback.count(policy, key)
        )

    async def take(self, policy: str, key: str) -> tuple[bool, Quota]:
        """Count once more, and say what is left then."""
        if policy not in self._policies:
            return await self._fallback.take(policy, key)
        return await self._ask(
            lambda: self._policies[policy].take(key), lambda: self._fallback.take(policy, key)
        )

    async def look(self, *counted: tuple[str, str]) -> list[Quota]:
        """What is left of each (policy, key); nothing is counted."""
        if any(policy not in self._policies for policy, _ in counted):
            return await self._fallback.look(*counted)
        if not counted:
            return []
        return await self._ask(
            lambda: self._look_together(counted), lambda: self._fallback.look(*counted)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.disconnect()

    async def _look_together(self, counted: tuple[tuple[str, str], ...]) -> list[Quota]:
        if len(counted) == 1:
            ((policy, key),) = counted
            return [await self._policies[policy].look(key)]
        return await asyncio.gather(*(self._policies[policy].look(key) for policy, key in counted))

    async def _ask(
        self, shared: Callable[[], Awaitable[T]], alone: Callable[[], Awaitable[T]]
    ) -> T:
        now = time.monotonic()
        if now < self._not_before:
            return await alone()
        if not self.shared_is_up:
            # The others go on without it while this one request tries.
            self._not_before = now + self._rest_seconds
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                answer = await shared()
        except Exception as error:  # noqa: BLE001 - whatever fails there, requests are served
            self._rest(error)
            return await alone()
        if not self.shared_is_up:
            self.shared_is_up = True
            self._not_before = 0.0
            _log.warning("Redis counts again; limits hold across processes")
        return answer

    def _rest(self, error: Exception) -> None:
        self._not_before = time.monotonic() + self._rest_seconds
        if self.shared_is_up:
            self.shared_is_up = False
            _log.warning(
                "Redis does not count (%s); each process counts for itself until it does",
                type(error).__name__,
            )
