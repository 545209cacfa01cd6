"""Walk through a provider's own record of its events, and take in those that were missed."""

import logging
import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from order_core.errors import CommitUnknown, ConcurrentUpdate, EventsUnavailable, StoreUnavailable
from order_core.ports import EventLog, OrderRepository, WebhookEvent
from order_core.use_cases.take_in import SETTLED
from order_core.use_cases.take_in_event import TakeInEvent

_MOST_PAGES_A_DAY: Final = 10_000
"""More than that is a record that never ends."""
_DAY: Final = timedelta(days=1)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class WalkEvents:
    """One walk through what `log` has from `begin` to `end`.

    Where it stands on its way is not stored: whoever did not come to the end begins again.
    """

    provider: str
    log: EventLog
    begin: datetime
    end: datetime
    orders: OrderRepository
    take_in_event: TakeInEvent
    read: int = field(default=0, init=False)
    """Events that were seen so far, those that say nothing about money included."""
    missed: int = field(default=0, init=False)
    """How many of them had never come here."""
    news: int = field(default=0, init=False)
    """How many of those changed an order."""
    left: int = field(default=0, init=False)
    """How many of them could not be taken in, and have to be found by another walk."""
    _waiting: deque[WebhookEvent] = field(default_factory=deque, init=False)
    _pages: int = field(default=0, init=False)
    _next_page: str | None = field(default=None, init=False)

    @property
    def is_over(self) -> bool:
        """Whether everything was read, and taken in but for what is `left`."""
        return self._pages > 0 and self._next_page is None and not self._waiting

    async def __call__(self, *, limit: int = 20) -> int:
        """Take in up to `limit` of the events that were missed; how many there were.

        Reads one more page if none of them waits here; that page may hold none.

        Raises:
            EventsUnavailable: the provider could not be asked; the walk has to begin again.
            StoreUnavailable, CommitUnknown: what was not taken in still waits.
        """
        if not self._waiting:
            await self._read_on()
        taken = 0
        while self._waiting and taken < limit:
            await self._take(self._waiting[0])
            self._waiting.popleft()
            taken += 1
        return taken

    async def _read_on(self) -> None:
        page = await self.log.read(self.begin, self.end, page=self._next_page)
        ids = [event.id for event in page.events]
        known = await self.orders.remembered(self.provider, ids) if ids else frozenset()
        self._pages += 1
        most = _MOST_PAGES_A_DAY * math.ceil((self.end - self.begin) / _DAY)
        if page.next_page is not None and self._pages >= most:
            raise EventsUnavailable(f"there are more than {most} pages")
        self._next_page = page.next_page
        self.read += len(ids)
        # What says nothing about money need not be remembered.
        missed = [event for event in page.events if event.facts and event.id not in known]
        self.missed += len(missed)
        self._waiting.extend(missed)

    async def _take(self, event: WebhookEvent) -> None:
        try:
            received = await self.take_in_event(self.provider, event)
        except (StoreUnavailable, CommitUnknown):
            raise
        except ConcurrentUpdate as error:
            self.left += 1
            _log.info("event %s is left for the next walk: %s", event.id, error)
        except Exception:  # noqa: BLE001 - one event that breaks must not stop the others
            self.left += 1
            _log.exception("event %s of %s could not be taken in", event.id, self.provider)
        else:
            self.news += received.verdict == SETTLED
