"""Ask each provider once a day what it told lately, and take in what never came here."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from order_core.errors import CommitUnknown, EventsUnavailable, StoreUnavailable
from order_core.ports import Clock, EventLog, EventRecord, OrderRepository, TakenIn
from order_core.use_cases.take_in_event import TakeInEvent
from order_core.use_cases.walk_events import WalkEvents

EVERY: Final = timedelta(days=1)
REACH: Final = timedelta(days=2)
"""How far a walk goes back at least: each event is looked for by two of them."""

LONGEST_REACH: Final = timedelta(days=28)
"""Square keeps its events for so long, Stripe and PayPal for 30 days."""

YOUNGEST: Final = timedelta(hours=1)
"""What is younger is on its way here, and may overtake the answer that it belongs to."""

OVERLAP: Final = REACH - EVERY - YOUNGEST
"""How far a walk begins before the place where the last one ended, however long ago: what a
provider enters late into its record stands there, and what the last walk took for the past
because the store's clock was ahead."""

PAUSE_AFTER_A_FAILURE: Final = timedelta(minutes=15)
"""Twice as long after each further one, up to `LONGEST_PAUSE_AFTER_A_FAILURE`."""

LONGEST_PAUSE_AFTER_A_FAILURE: Final = timedelta(hours=4)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    walk: WalkEvents
    begun_at: datetime
    """By the own clock."""
    begun_from: datetime | None
    """How far the record had been taken in."""


@dataclass(slots=True)
class _Provider:
    log: EventLog
    record: EventRecord
    under_way: _UnderWay | None = None
    rests_until: datetime | None = None
    failures: int = 0
    """One after the other, without a walk that came to its end."""


@dataclass(slots=True)
class Reconcile:
    """The last net: finds what no answer, look-up or delivered event has told.

    A payment that somebody made, took or gave back beside us is known by its event alone, and
    an event can be lost: an address that was wrong for a day, a secret that was changed, a
    database that was restored from its backup of yesterday. How far a record was taken in is
    stored beside the orders: a walk begins there, whoever made the last one, and a restored
    database knows what it has lost. Several processes may walk at once, and one that starts
    anew begins with a walk.
    """

    orders: OrderRepository
    take_in_event: TakeInEvent
    clock: Clock
    logs: Mapping[str, EventLog]
    records: Mapping[str, EventRecord]
    """Of each log, whose it is."""
    _providers: dict[str, _Provider] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._providers = {
            name: _Provider(log, self.records[name]) for name, log in self.logs.items()
        }

    async def __call__(self, *, limit: int = 20) -> int:
        """Take in up to `limit` events that were missed; how many there were.

        0 at once, and without asking anybody, while it rests between two walks.

        Raises:
            StoreUnavailable, CommitUnknown: the walk goes on from there.
        """
        for name, provider in self._providers.items():
            if not self._rests(provider):
                return await self._go_on(name, provider, limit)
        return 0

    def walk(self, provider: str, begin: datetime, end: datetime) -> WalkEvents:
        """A walk through everything from `begin` to `end`.

        Raises:
            KeyError: the provider has no record of its events that could be read.
        """
        log = self.logs[provider]
        return WalkEvents(provider, log, begin, end, self.orders, self.take_in_event)

    def _rests(self, provider: _Provider) -> bool:
        # A clock that was set back must not lengthen the pause.
        now, until = self.clock.now(), provider.rests_until
        return until is not None and now < until <= now + EVERY

    async def _go_on(self, name: str, provider: _Provider, limit: int) -> int:
        under_way = provider.under_way = provider.under_way or await self._begun(name, provider)
        walk, taken = under_way.walk, 0
        try:
            # Else it is over since a round that could not store that.
            if not walk.is_over:
                taken = await walk(limit=limit)
        except (StoreUnavailable, CommitUnknown):
            raise
        except EventsUnavailable as error:
            _log.warning("the events of %s are read later: %s", name, error)
            return self._begin_again_later(provider)
        except Exception:  # noqa: BLE001 - one provider that breaks must not stop the others
            _log.exception("the events of %s could not be read", name)
            return self._begin_again_later(provider)
        if walk.is_over:
            await self._end(name, provider, under_way)
        return taken

    async def _end(self, name: str, provider: _Provider, ended: _UnderWay) -> None:
        walk = ended.walk
        if not walk.left:
            # Of two that walk at once the first one says how far. Neither does if the store was
            # put back to an older state meanwhile, which has lost what lies between.
            await self.orders.note_taken_in(
                provider.record, until=walk.end, before=ended.begun_from
            )
        _log.log(
            # Where events are expected, something on their way here is broken.
            logging.WARNING if walk.news else logging.INFO,
            "%s told %d events since %s; %d had not come, %d were news",
            *(name, walk.read, walk.begin, walk.missed, walk.news),
        )
        provider.under_way, provider.failures = None, 0
        provider.rests_until = ended.begun_at + EVERY

    def _begin_again_later(self, provider: _Provider) -> int:
        # From its beginning: a provider forgets soon where a page began.
        provider.under_way = None
        # Bounded, because a provider that was never allowed to tell its events fails for years.
        pause = PAUSE_AFTER_A_FAILURE * (1 << min(provider.failures, 8))
        provider.failures += 1
        provider.rests_until = self.clock.now() + min(pause, LONGEST_PAUSE_AFTER_A_FAILURE)
        return 0

    async def _begun(self, name: str, provider: _Provider) -> _UnderWay:
        begun_at, taken_in = self.clock.now(), await self.orders.taken_in(provider.record)
        # By the store's clock, as the next walk is, which may be another process's.
        begin, end = _begin(taken_in), taken_in.now - YOUNGEST
        if taken_in.until is not None and taken_in.until < begin:
            _log.warning(
                "what %s told from %s to %s can be read no more; its dashboard may still show it",
                *(name, taken_in.until, begin),
            )
        return _UnderWay(self.walk(name, begin, end), begun_at, taken_in.until)


def _begin(taken_in: TakenIn) -> datetime:
    """Where a walk begins, so that nothing is passed over however long nobody walked."""
    until, now = taken_in.until, taken_in.now
    if until is None:
        return now - REACH
    if until > now:
        # The store's clock was ahead when that was noted, and by how much nobody knows.
        return now - LONGEST_REACH
    return max(min(now - REACH, until - OVERLAP), now - LONGEST_REACH)
