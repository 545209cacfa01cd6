"""The ports through which the core knows the time, and waits."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, as the core sees it."""

    def now(self) -> datetime:
        """The present moment, in UTC, with its time zone set."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Come back after `seconds`."""
        ...


class StoreClock(Protocol):
    """The one clock that all processes share: that of the store."""

    async def now(self) -> datetime:
        """The store's present moment, in UTC, with its time zone set.

        Raises:
            StoreUnavailable: ask again.
        """
        ...
