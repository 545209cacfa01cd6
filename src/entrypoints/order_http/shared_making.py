"""Makes what is dear no oftener than a service can bear, however many ask for it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

_AT_ONCE: Final = 20
"""So often whoever asks is given something new before he has to share."""
_EVERY_SECONDS: Final = 0.25


class SharedMaking(Generic[T]):
    """What `make` returns, or raises; those who ask while it is being made share it.

    It is made anew for whoever asks now and then. A crowd gets what was made last, which is
    never older than the making of it and `_EVERY_SECONDS`. What was raised is not kept.
    """

    def __init__(
        self,
        make: Callable[[], Coroutine[Any, Any, T]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._clock = clock
        self._making: asyncio.Task[T] | None = None
        self._made: asyncio.Task[T] | None = None
        self._left = float(_AT_ONCE)
        self._left_at = clock()

    async def __call__(self) -> T:
        if self._making is None:
            if self._made is not None and not self._may_make():
                return self._made.result()
            self._making = asyncio.create_task(self._make())
            self._making.add_done_callback(self._keep)
        # One of those who share it may go away.
        return await asyncio.shield(self._making)

    def _may_make(self) -> bool:
        now = self._clock()
        self._left = min(_AT_ONCE, self._left + (now - self._left_at) / _EVERY_SECONDS)
        self._left_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _keep(self, made: asyncio.Task[T]) -> None:
        self._making = None
        self._made = None if made.cancelled() or made.exception() else made
