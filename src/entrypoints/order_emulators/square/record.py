"""The pretended Square's own record of its events, for those who ask instead of listening."""

import base64
import hashlib
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from order_emulators.square.fields import Fields
from order_emulators.square.refusal import Refusal, unusable

KEPT: Final = timedelta(days=28)
_LONGEST_PAGE: Final = 100
_LONGEST_CURSOR: Final = 256
_API_VERSION: Final = "2026-09-16"


@dataclass(frozen=True, slots=True)
class _OnRecord:
    number: int
    at: datetime
    body: dict[str, Any]


class EventRecord:
    """What was told while the record was on, delivered or not, oldest first.

    It is off until it is switched on. What happens while it is off is never found, and while
    it is off nothing is.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._numbers = 0
        self._events: deque[_OnRecord] = deque()

    def keep(self, body: dict[str, Any], at: datetime) -> None:
        """Put the event on record, if that is on."""
        if self.is_on:
            self._numbers += 1
            self._events.append(_OnRecord(self._numbers, at, body))
        while self._events and self._events[0].at < at - KEPT:
            self._events.popleft()

    def search(self, request: Fields, now: datetime) -> dict[str, Any]:
        """The answer to SearchEvents."""
        search = _Search.wanted(request)
        found = list(self._fitting(search, now)) if self.is_on else []
        page = found[: search.limit]
        answer: dict[str, Any] = {}
        if page:
            answer["events"] = [event.body for event in page]
            answer["metadata"] = [
                {"event_id": event.body["event_id"], "api_version": _API_VERSION} for event in page
            ]
        if found[search.limit :]:
            answer["cursor"] = search.cursor_behind(page[-1].number)
        return answer

    def _fitting(self, search: "_Search", now: datetime) -> Iterator[_OnRecord]:
        events = self._events if search.oldest_first else reversed(self._events)
        return (event for event in events if event.at >= now - KEPT and search.finds(event))


@dataclass(frozen=True, slots=True)
class _Search:
    query: str
    """By which a cursor knows the search that it belongs to."""
    types: Sequence[str] | None
    merchants: Sequence[str] | None
    locations: Sequence[str] | None
    begin: datetime | None
    end: datetime | None
    oldest_first: bool
    limit: int
    behind: int | None
    """The number of the event after which it goes on."""

    @classmethod
    def wanted(cls, request: Fields) -> "_Search":
        request.only({"cursor", "limit", "query"})
        query = request.optional_inside("query").only({"filter", "sort"})
        only = query.optional_inside("filter").only(
            {"event_types", "merchant_ids", "location_ids", "created_at"}
        )
        time = only.optional_inside("created_at").only({"start_at", "end_at"})
        sort = query.optional_inside("sort").only({"field", "order"})
        if sort.optional_text("field", 20) not in {None, "DEFAULT"}:
            raise unusable("INVALID_ENUM_VALUE", "query.sort.field")
        order = sort.optional_text("order", 4) or "DESC"
        if order not in {"ASC", "DESC"}:
            raise unusable("INVALID_ENUM_VALUE", "query.sort.order")
        begin, end = time.optional_moment("start_at"), time.optional_moment("end_at")
        if begin and end and end < begin:
            raise unusable("INVALID_TIME_RANGE", "query.filter.created_at")
        fingerprint = hashlib.sha256(json.dumps(query.values, sort_keys=True).encode())
        name = fingerprint.hexdigest()[:16]
        cursor = request.optional_text("cursor", _LONGEST_CURSOR)
        return cls(
            query=name,
            types=only.optional_texts("event_types"),
            merchants=only.optional_texts("merchant_ids"),
            locations=only.optional_texts("location_ids"),
            begin=begin,
            end=end,
            oldest_first=order == "ASC",
            limit=request.number("limit", 1, _LONGEST_PAGE, default=_LONGEST_PAGE),
            behind=None if cursor is None else _place(cursor, name),
        )

    def finds(self, event: _OnRecord) -> bool:
        if self.behind is not None:
            further = event.number - self.behind
            if (further if self.oldest_first else -further) <= 0:
                return False
        in_time = (self.begin or event.at) <= event.at <= (self.end or event.at)
        return in_time and all(
            wanted is None or event.body[name] in wanted
            for name, wanted in (
                ("type", self.types),
                ("merchant_id", self.merchants),
                ("location_id", self.locations),
            )
        )

    def cursor_behind(self, number: int) -> str:
        return base64.urlsafe_b64encode(f"{self.query}:{number}".encode()).decode()


def _place(cursor: str, query: str) -> int:
    try:
        name, _, number = base64.urlsafe_b64decode(cursor).decode().partition(":")
        if name == query:
            return int(number)
    except ValueError:
        pass
    # It is not ours, or belongs to another search.
    raise Refusal(400, "INVALID_CURSOR", field="cursor")
