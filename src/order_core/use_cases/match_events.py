"""Try the events again that came before the answer to their payment."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from order_core.errors import CommitUnknown, ConcurrentUpdate, StoreUnavailable
from order_core.immutable import replace
from order_core.ports import Clock, EventPlace, OrderRepository, ReceivedEvent
from order_core.use_cases.take_in import NO_NEWS, SETTLED, TakeIn

TRIED_FOR: Final = timedelta(days=28)
"""So long an unmatched event is tried again; then it waits for a person alone. Its payment may be
given up after 14 days and decided by a person then, or be read from the provider's record."""

PAUSE: Final = timedelta(seconds=10)
"""Between the end of one walk through the events and the next."""

_YOUNGEST: Final = timedelta(minutes=1)
_USUALLY_KNOWN_WITHIN: Final = timedelta(days=4)
_WALKS_TO_MOST: Final = 64
_WALKS_TO_ALL: Final = 1024

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class MatchEvents:
    """Brings unmatched events to payments that have become known since.

    Walks through the events, page by page and the oldest first, so that one which never
    matches stands in nobody's way. Every walk reaches back a minute, every second one two,
    every fourth one four, every 64th (about each eleven minutes) four days, and every 1024th
    (about each three hours) over all: the older an event is, the more rarely it is tried.
    Where a walk stands is not stored. Several processes may walk at once, and one that starts
    anew begins with all.
    """

    orders: OrderRepository
    take_in: TakeIn
    clock: Clock
    _walks: int = field(default=0, init=False)
    _stands_at: EventPlace | None = field(default=None, init=False)
    _rests_until: datetime | None = field(default=None, init=False)

    async def __call__(self, *, limit: int = 20) -> int:
        """Try up to `limit` events; how many there were.

        0 at once, and without asking the store, while it rests between two walks.

        Raises:
            StoreUnavailable: nothing was tried.
        """
        if self._stands_at is None and self._rests():
            return 0
        after = self._stands_at or (self.clock.now() - self._reach(), "", "")
        page = await self.orders.events_to_match(after=after, limit=limit)
        for event in page:
            await self._try(event)
        if len(page) < limit:
            self._stands_at = None
            self._walks += 1
            self._rests_until = self.clock.now() + PAUSE
        else:
            self._stands_at = page[-1].place
        return len(page)

    def _rests(self) -> bool:
        # A clock that was set back must not lengthen the pause.
        now, until = self.clock.now(), self._rests_until
        return until is not None and now < until <= now + PAUSE

    def _reach(self) -> timedelta:
        power_of_two = self._walks & -self._walks
        if not 0 < power_of_two < _WALKS_TO_ALL:
            return TRIED_FOR
        most = power_of_two >= _WALKS_TO_MOST
        return _USUALLY_KNOWN_WITHIN if most else _YOUNGEST * power_of_two

    async def _try(self, event: ReceivedEvent) -> None:
        if event.provider not in self.take_in.terms:
            return
        if not event.facts:
            # The store cannot read them. It is a person's: matched, it would be forgotten.
            _log.error("the facts of event %s cannot be read", event.event_id)
            return
        order_id = event.order_id
        try:
            matched = True
            # A fact that never matches must not keep the others of its event waiting.
            for fact in event.facts:
                verdict, order = await self.take_in(
                    event.provider, fact, heard_at=event.received_at
                )
                matched = matched and verdict in {SETTLED, NO_NEWS}
                order_id = order.id if order else order_id
            if not matched:
                return
            # The effect comes first here too: what is known already is settled once more.
            await self.orders.match(replace(event, verdict=SETTLED, order_id=order_id))
        except (StoreUnavailable, CommitUnknown, ConcurrentUpdate) as error:
            _log.info("event %s is left for later: %s", event.event_id, error)
        except Exception:  # noqa: BLE001 - one event that breaks must not stop the others
            _log.exception("event %s could not be matched", event.event_id)
