"""Square's own record of the events of one location, which Square keeps for 28 days."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import httpx
from square import AsyncSquare
from square.core.api_error import ApiError
from square.core.request_options import RequestOptions
from square.requests.search_events_query import SearchEventsQueryParams

from order_core.errors import EventsUnavailable
from order_core.ports.event_log import LONGEST_PAGE, EventPage
from order_core.ports.webhook_parser import WebhookEvent
from order_square.events import ABOUT_MONEY, EventReader
from order_square.failures import reason_of
from order_square.sightings import Unreadable

READ_SECONDS: Final = 18.0
_LONGEST_CURSOR: Final = 256
_NOT_ENABLED: Final = (
    "Square shows payments of that time but no event; it keeps none until somebody asks for it "
    "once with PUT /v2/events/enable and the access token"
)
_MAY_MEAN: Final = frozenset(
    {httpx.codes.BAD_REQUEST, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}
)
"""What Square answers while events are not enabled is not documented."""

_log = logging.getLogger(__name__)

Fields = Mapping[str, object]


class SquareEventLog:
    """Asks for the events through `client`, and has `reader` read them.

    They are not narrowed by the location: not every event has one beside its data. The SDK's
    own retries are switched off for each call.
    """

    def __init__(
        self,
        client: AsyncSquare,
        reader: EventReader,
        *,
        location_id: str,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._client = client
        self._reader = reader
        self._location_id = location_id
        self._read_seconds = read_seconds
        self._options: RequestOptions = {
            "max_retries": 0,
            "timeout_in_seconds": max(1, int(read_seconds)),
        }

    async def read(
        self, begin: datetime, end: datetime, /, *, page: str | None = None
    ) -> EventPage:
        try:
            async with asyncio.timeout(self._read_seconds):
                return await self._page(begin, end, page)
        except EventsUnavailable:
            raise
        except Exception as failure:  # noqa: BLE001 - whatever the SDK throws is no list
            # Without its cause, whose text is Square's.
            raise EventsUnavailable(_because(failure)) from None

    async def _page(self, begin: datetime, end: datetime, page: str | None) -> EventPage:
        cursor = {} if page is None else {"cursor": page}
        answer = await self._client.events.search_events(
            **cursor, limit=LONGEST_PAGE, query=_query(begin, end), request_options=self._options
        )
        shown = answer.model_dump(warnings=False)
        found, next_page = _list(shown, "events"), _cursor(shown.get("cursor"))
        if len(found) > LONGEST_PAGE:
            raise Unreadable("more events than were asked for")
        if page is None and not found and next_page is None:
            await self._must_be_quiet(begin, end)
        return EventPage(tuple(self._read(found)), next_page)

    def _read(self, found: list[object]) -> Iterator[WebhookEvent]:
        for shown in found:
            try:
                yield self._reader.event(shown)
            except Unreadable as error:
                _log.warning("one of Square's events on record is left out: %s", error)

    async def _must_be_quiet(self, begin: datetime, end: datetime) -> None:
        """See that nothing was to be told; events that are not enabled leave no trace.

        Raises:
            EventsUnavailable: somebody paid.
        """
        payments = await self._client.payments.list(
            begin_time=_stamp(begin),
            end_time=_stamp(end),
            location_id=self._location_id,
            limit=LONGEST_PAGE,
            request_options=self._options,
        )
        shown = _list(payments.response.model_dump(warnings=False), "payments")
        if any(isinstance(one, Mapping) and one.get("status") == "COMPLETED" for one in shown):
            raise EventsUnavailable(_NOT_ENABLED)


def _query(begin: datetime, end: datetime) -> SearchEventsQueryParams:
    return {
        "filter": {
            "event_types": list(ABOUT_MONEY),
            "created_at": {"start_at": _stamp(begin), "end_at": _stamp(end)},
        },
        "sort": {"field": "DEFAULT", "order": "ASC"},
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _list(shown: Fields, name: str) -> list[object]:
    found = shown.get(name)
    # With errors there is no list, and without a list there is nothing; a 200 can be both.
    if shown.get("errors") or not isinstance(found, list | None):
        raise Unreadable("no list")
    return found or []


def _cursor(shown: object) -> str | None:
    if shown is None or shown == "":
        return None
    if not isinstance(shown, str) or len(shown) > _LONGEST_CURSOR:
        raise Unreadable("no usable cursor")
    return shown


def _because(failure: Exception) -> str:
    reason = reason_of(failure)
    if isinstance(failure, ApiError) and failure.status_code in _MAY_MEAN:
        return f"{reason}; perhaps events were never enabled (PUT /v2/events/enable)"
    return reason
