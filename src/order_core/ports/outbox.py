"""The port that keeps the events that still have to be told."""

from datetime import timedelta
from typing import Protocol

from order_core.ports.notifier import Notice


class Outbox(Protocol):
    """Every told event stays here until its delivery is confirmed: at least once, never never."""

    async def claim_notices(self, *, limit: int, hold: timedelta) -> tuple[Notice, ...]:
        """Up to `limit` events to tell now, oldest first, kept from other workers for `hold`.

        Orders without a contact have none: their events are marked as told on the way.
        """
        ...

    async def told(self, notice: Notice, /) -> None:
        """The notice was delivered; it does not come again."""
        ...

    async def tell_later(self, notice: Notice, /, *, delay: timedelta) -> None:
        """The notice failed; it comes again after `delay`, with one more attempt counted."""
        ...

    async def give_up(self, notice: Notice, /, *, because: str) -> None:
        """The notice can never be delivered; it is kept as such and does not come again."""
        ...
