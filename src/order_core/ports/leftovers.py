"""The port that forgets what nobody needs any more."""

from datetime import datetime
from typing import Protocol


class Leftovers(Protocol):
    """What a store keeps beside its orders, and need not keep for ever."""

    async def forget_events(self, *, before: datetime, limit: int) -> int:
        """Forget at most `limit` provider's events received before then; how many there were.

        One with the verdict `unknown_transaction` waits for a person, and is kept. One that
        is forgotten and comes once more is a fact that is known already.

        Raises:
            StoreUnavailable: some may have been forgotten.
        """
        ...

    async def forget_contents(self, *, before: datetime, limit: int) -> int:
        """Forget what at most `limit` orders opened or placed before then are compared by.

        Those that still wait for their payment count as double clicks for ever, and are kept.

        Raises:
            StoreUnavailable: some may have been forgotten.
        """
        ...
