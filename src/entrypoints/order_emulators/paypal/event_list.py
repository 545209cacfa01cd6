"""What the pretended PayPal has told, as its list of events shows it: the newest first."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

EVENT_LIST_PATH: Final = "/v1/notifications/webhooks-events"
KEPT_FOR: Final = timedelta(days=30)
_MOST_EVENTS: Final = 100_000
_USUAL_PAGE_SIZE: Final = 10
_FIELDS: Final = (
    "page_size",
    "start_time",
    "end_time",
    "transaction_id",
    "event_type",
    "move_to",
    "index_time",
    "index_id",
)


class BadQuery(ValueError):
    """The list is not shown. `field` is the parameter that is wrong."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class _Told:
    number: int
    at: datetime
    shown: Mapping[str, Any]


class EventList:
    """Every event of the last 30 days, whether or not it was ever delivered."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._told: deque[_Told] = deque(maxlen=_MOST_EVENTS)
        self._count = 0

    def add(self, shown: Mapping[str, Any], at: datetime) -> None:
        """The event `shown` came to be at `at`."""
        self._count += 1
        self._told.append(_Told(self._count, at, shown))

    def page(self, query: tuple[tuple[str, str], ...], origin: str) -> dict[str, Any]:
        """What `query` asks for, and where the rest of it is.

        Raises:
            BadQuery: PayPal would not answer it.
        """
        wanted = {name: value for name, value in query if name in _FIELDS and value}
        size = _number(wanted, "page_size", _USUAL_PAGE_SIZE)
        found = self._found(wanted)
        page, rest = found[:size], found[size:]
        answer: dict[str, Any] = {"events": [told.shown for told in page], "count": len(page)}
        if rest:
            # As PayPal documents it, with the slash; the last page has no links at all.
            onward = {
                **wanted,
                "page_size": str(size),
                "move_to": "next",
                "index_time": f"{page[-1].at:%Y-%m-%dT%H:%M:%SZ}",
                "index_id": str(page[-1].number),
            }
            href = f"{origin}{EVENT_LIST_PATH}/?{urlencode(onward, safe=':')}"
            answer["links"] = [{"href": href, "rel": "next", "method": "GET"}]
        return answer

    def _found(self, wanted: Mapping[str, str]) -> list[_Told]:
        now = self._clock()
        begin = _moment(wanted, "start_time", now - KEPT_FOR)
        end = _moment(wanted, "end_time", now)
        before = _number(wanted, "index_id", self._count + 1)
        if begin < now - KEPT_FOR:
            raise BadQuery("start_time")
        if end < begin:
            raise BadQuery("end_time")
        event_type, transaction_id = wanted.get("event_type"), wanted.get("transaction_id")
        return [
            told
            for told in reversed(self._told)
            if begin <= told.at <= end
            and told.number < before
            and event_type in {None, told.shown["event_type"]}
            and transaction_id in {None, told.shown["resource"].get("id")}
        ]


def _moment(wanted: Mapping[str, str], field: str, usual: datetime) -> datetime:
    if field not in wanted:
        return usual
    try:
        # A plus that was not encoded arrives as a space.
        moment = datetime.fromisoformat(wanted[field].replace(" ", "+"))
    except ValueError:
        raise BadQuery(field) from None
    if moment.tzinfo is None:
        raise BadQuery(field)
    return moment.astimezone(UTC)


def _number(wanted: Mapping[str, str], field: str, usual: int) -> int:
    if field not in wanted:
        return usual
    written = wanted[field]
    if not (written.isascii() and written.isdecimal() and len(written) < 10 and int(written)):  # noqa: PLR2004 - no list is that long
        raise BadQuery(field)
    return int(written)
