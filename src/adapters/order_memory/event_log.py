"""A provider's record of its events, in memory."""

from datetime import datetime

from order_core.errors import EventsUnavailable
from order_core.ports import LONGEST_PAGE, Clock, EventPage, WebhookEvent


class InMemoryEventLog:
    """An `EventLog` of whatever was entered into it, the latest first.

    A page begins behind an event, so that what comes meanwhile moves nothing. While `is_away`
    the provider does not answer.
    """

    def __init__(self, clock: Clock, *, page_size: int = LONGEST_PAGE) -> None:
        self._clock = clock
        self._page_size = page_size
        self._entered: dict[str, tuple[datetime, WebhookEvent]] = {}
        self.is_away = False

    def enter(self, event: WebhookEvent) -> None:
        """The provider tells it now, whether or not it is delivered."""
        self._entered[event.id] = (self._clock.now(), event)

    def event(self, event_id: str) -> WebhookEvent:
        """Raises KeyError if it was never told."""
        return self._entered[event_id][1]

    def told_at(self, event_id: str) -> datetime:
        """When it was told. Raises KeyError if it never was."""
        return self._entered[event_id][0]

    def __len__(self) -> int:
        return len(self._entered)

    async def read(
        self, begin: datetime, end: datetime, /, *, page: str | None = None
    ) -> EventPage:
        if self.is_away:
            raise EventsUnavailable("it is away")
        told = [event for at, event in self._entered.values() if begin <= at <= end][::-1]
        if page is not None:
            told = told[1 + [event.id for event in told].index(page) :]
        shown = tuple(told[: self._page_size])
        return EventPage(shown, shown[-1].id if len(told) > len(shown) else None)
