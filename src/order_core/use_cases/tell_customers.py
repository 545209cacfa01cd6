"""Tell customers what happened to their orders."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from order_core.errors import NotificationRefused
from order_core.ports import Notice, Notifier, Outbox

MAX_DELIVERIES: Final = 32
"""Failed deliveries of one notice before it is given up: about a day of trying."""

_LONGEST_DELIVERY: Final = timedelta(seconds=20)
"""What one delivery may take. A notice is kept from other workers for a whole batch of it."""

_FIRST_DELAY: Final = timedelta(seconds=10)
_LONGEST_DELAY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TellCustomers:
    """Delivers what the outbox keeps, at least once."""

    outbox: Outbox
    notifier: Notifier

    async def __call__(self, *, limit: int = 20) -> int:
        """Deliver up to `limit` notices that are due; how many there were.

        A notice is marked as told only after its delivery, so a crash in between delivers
        it twice, with the same id, rather than never.

        Raises:
            StoreUnavailable: the rest stays due.
        """
        notices = await self.outbox.claim_notices(limit=limit, hold=_LONGEST_DELIVERY * limit)
        for notice in notices:
            await self._tell(notice)
        return len(notices)

    async def _tell(self, notice: Notice) -> None:
        try:
            await self.notifier.tell(notice)
        except NotificationRefused as refusal:
            await self.outbox.give_up(notice, because=str(refusal))
        except Exception as failure:  # noqa: BLE001 - one bad notice must not stop the others
            if notice.attempts + 1 >= MAX_DELIVERIES:
                await self.outbox.give_up(notice, because=str(failure))
            else:
                delay = min(_FIRST_DELAY * 2**notice.attempts, _LONGEST_DELAY)
                await self.outbox.tell_later(notice, delay=delay)
        else:
            await self.outbox.told(notice)
