"""What a provider's record of its events must do."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from order_core.errors import EventsUnavailable
from order_core.ports import LONGEST_PAGE, EventLog, WebhookEvent

_HOUR: Final = timedelta(hours=1)
_MOST_PAGES: Final = 50


class EventLogContract:
    """Override the fixture `log`, `told` and `gone`, and `now` if the provider has a clock."""

    @pytest.fixture
    async def log(self) -> EventLog:
        """The record of a provider that has told nothing yet."""
        raise NotImplementedError

    async def told(self, log: EventLog, many: int) -> set[str]:
        """Let the provider tell of `many` movements of money; the ids of the events that do.

        Each with the id with which it is delivered, and not all of them delivered.
        """
        raise NotImplementedError

    async def gone(self, log: EventLog) -> None:
        """Let the provider answer nobody any more."""
        raise NotImplementedError

    def now(self) -> datetime:
        """The present moment by the provider's clock."""
        return datetime.now(UTC)

    async def read(self, log: EventLog, begin: datetime, end: datetime) -> list[WebhookEvent]:
        """Everything from `begin` to `end`, whatever the number of pages."""
        events: list[WebhookEvent] = []
        page: str | None = None
        for _ in range(_MOST_PAGES):
            shown = await log.read(begin, end, page=page)
            assert len(shown.events) <= LONGEST_PAGE
            events += shown.events
            page = shown.next_page
            if page is None:
                return events
        pytest.fail(f"more than {_MOST_PAGES} pages of {len(events)} events")

    async def lately(self, log: EventLog) -> list[WebhookEvent]:
        """Everything of the last hour."""
        return await self.read(log, self.now() - _HOUR, self.now() + _HOUR)

    async def test_a_provider_that_told_nothing_has_nothing_on_record(self, log: EventLog) -> None:
        assert await self.lately(log) == []

    async def test_each_event_is_read_once_delivered_or_not(self, log: EventLog) -> None:
        told = await self.told(log, 3)

        ids = [event.id for event in await self.lately(log)]

        assert len(told) >= 3
        assert told <= set(ids)
        assert len(ids) == len(set(ids))

    async def test_what_tells_of_money_has_facts(self, log: EventLog) -> None:
        told = await self.told(log, 2)

        facts = {event.id: event.facts for event in await self.lately(log)}

        assert all(facts[event_id] for event_id in told)

    async def test_an_event_has_the_same_id_and_facts_each_time(self, log: EventLog) -> None:
        await self.told(log, 2)

        first = {event.id: event for event in await self.lately(log)}

        assert {event.id: event for event in await self.lately(log)} == first

    async def test_what_is_more_than_a_page_is_read_to_its_end(self, log: EventLog) -> None:
        told = await self.told(log, LONGEST_PAGE + 30)

        assert told <= {event.id for event in await self.lately(log)}

    async def test_what_was_told_at_another_time_is_left_out(self, log: EventLog) -> None:
        await self.told(log, 1)
        now = self.now()

        assert await self.read(log, now - 3 * _HOUR, now - 2 * _HOUR) == []
        assert await self.read(log, now + 2 * _HOUR, now + 3 * _HOUR) == []

    async def test_a_provider_that_does_not_answer_is_no_empty_record(self, log: EventLog) -> None:
        await self.told(log, 1)
        await self.gone(log)

        with pytest.raises(EventsUnavailable):
            await log.read(self.now() - _HOUR, self.now())
