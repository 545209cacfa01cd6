"""Ask each provider once a day what it told lately, and take in what never came here."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from order_core.errors import CommitUnknown, EventsUnavailable, StoreUnavailable
from order_core.ports import Clock, EventLog, OrderRepository
from order_core.use_cases.take_in_event import TakeInEvent
from order_core.use_cases.walk_events import WalkEvents

EVERY: Final = timedelta(days=1)
REACH: Final = timedelta(days=2)
"""How far a walk goes back: each event is looked for by two of them."""

LONGEST_REACH: Final = timedelta(days=28)
"""Square keeps its events for so long, Stripe and PayPal for 30 days."""

YOUNGEST: Final = timedelta(hours=1)
"""What is younger is on its way here, and may overtake the answer that it belongs to."""

PAUSE_AFTER_A_FAILURE: Final = timedelta(minutes=15)
"""Twice as long after each further one, up to `LONGEST_PAUSE_AFTER_A_FAILURE`."""

LONGEST_PAUSE_AFTER_A_FAILURE: Final = timedelta(hours=4)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Provider:
    log: EventLog
    walk: WalkEvents | None = None
    read_to: datetime | None = None
    """The end of the last walk that came to its end."""
    rests_until: datetime | None = None
    failures: int = 0
    """One after the other, without a walk that came to its end."""


@dataclass(slots=True)
class Reconcile:
    """The last net: finds what no answer, look-up or delivered event has told.

    A payment that somebody made, took or gave back beside us is known by its event alone, and
    an event can be lost: an address that was wrong for a day, a secret that was changed, a
    database that was restored from its backup of yesterday. Several processes may walk at once,
    and one that starts anew begins with a walk.
    """

    orders: OrderRepository
    take_in_event: TakeInEvent
    clock: Clock
    logs: Mapping[str, EventLog]
    _providers: dict[str, _Provider] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._providers = {name: _Provider(log) for name, log in self.logs.items()}

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
        walk = provider.walk = provider.walk or self._begun(name, provider)
        try:
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
            _log.log(
                # Where events are expected, something on their way here is broken.
                logging.WARNING if walk.news else logging.INFO,
                "%s told %d events since %s; %d had not come, %d were news",
                *(name, walk.read, walk.begin, walk.missed, walk.news),
            )
            provider.walk, provider.read_to, provider.failures = None, walk.end, 0
            provider.rests_until = walk.end + YOUNGEST + EVERY
        return taken

    def _begin_again_later(self, provider: _Provider) -> int:
        # From its beginning: a provider forgets soon where a page began.
        provider.walk = None
        # Bounded, because a provider that was never allowed to tell its events fails for years.
        pause = PAUSE_AFTER_A_FAILURE * (1 << min(provider.failures, 8))
        provider.failures += 1
        provider.rests_until = self.clock.now() + min(pause, LONGEST_PAUSE_AFTER_A_FAILURE)
        return 0

    def _begun(self, name: str, provider: _Provider) -> WalkEvents:
        now = self.clock.now()
        begin = now - REACH
        if provider.read_to is not None:
            # After an outage of days nothing is passed over.
            begin = max(min(begin, provider.read_to), now - LONGEST_REACH)
        return self.walk(name, begin, now - YOUNGEST)
