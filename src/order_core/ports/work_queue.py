"""The port that hands unfinished orders to workers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from order_core.order import Order
from order_core.ports.order_repository import Lease


@dataclass(frozen=True, slots=True)
class Claim:
    """An order that is due, and the lease that makes it ours."""

    order: Order
    lease: Lease


class WorkQueue(Protocol):
    """The orders that are due, each to one worker at a time."""

    async def claim(
        self, *, limit: int, hold: timedelta, tokens: tuple[str, ...]
    ) -> tuple[Claim, ...]:
        """Up to `limit` orders whose `attend_at` has come and that nobody holds, now held.

        Longest waiting first. Each is leased for `hold` by the store's own clock, with one
        of `tokens` (at least `limit` of them), so that no two workers hold one order. Rows
        that another worker is about to claim are skipped, not waited for.

        Raises:
            StoreUnavailable: nothing is claimed, or it is free again after `hold`.
        """
        ...

    async def release(self, lease: Lease, /) -> None:
        """Give the order back. Without effect if the lease ended or is another's by now.

        Raises:
            StoreUnavailable: the lease then ends by itself.
        """
        ...
