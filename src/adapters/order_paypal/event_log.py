"""What PayPal has on record as told to the webhooks of our app, arrived or not."""

import logging
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from order_core.errors import EventsUnavailable
from order_core.ports.event_log import LONGEST_PAGE, EventPage
from order_core.ports.webhook_parser import WebhookEvent
from order_paypal.api import ApiRequest, NoAnswer, RequestNotSent
from order_paypal.conversation import Conversation
from order_paypal.events import event_of
from order_paypal.reading import Json, text
from order_paypal.threads import Threads

_PATH: Final = "/v1/notifications/webhooks-events"
_PAGE_SIZE: Final = "50"
"""An event has a few kilobytes, and what is longer than a mebibyte is not read."""
_CALL_SECONDS: Final = 24.0
_LONGEST_ADDRESS: Final = 1000
_NAME: Final = re.compile(r"[a-z_]{1,40}")

_log = logging.getLogger(__name__)


class PayPalEventLog:
    """Reads PayPal's list of events, with the connections and in the slots of `threads`.

    PayPal writes as a whole address where its list goes on. Only what asks for the rest is
    taken from it, and only if the address is one of `addresses`; it is asked for where
    everything else is.
    """

    def __init__(
        self, threads: Threads, addresses: Iterable[str], *, call_seconds: float = _CALL_SECONDS
    ) -> None:
        self._threads = threads
        self._lists: Final = frozenset(f"{address}{_PATH}" for address in addresses)
        self._call_seconds = min(call_seconds, _CALL_SECONDS)

    async def read(
        self, begin: datetime, end: datetime, /, *, page: str | None = None
    ) -> EventPage:
        query = _from_to(begin, end) if page is None else parse_qsl(page)
        request = ApiRequest("GET", _PATH, query=(*query, ("page_size", _PAGE_SIZE)))
        try:
            shown = await Conversation(self._threads, seconds=self._call_seconds).ask(request)
        except (RequestNotSent, NoAnswer) as error:
            raise EventsUnavailable(error.because) from error
        if shown is None:
            raise EventsUnavailable("there is no list of events")
        next_page = self._next_page(shown)
        if next_page is not None and next_page == page:
            raise EventsUnavailable("a page of the list is followed by itself")
        return EventPage(tuple(_readable(_listed(shown))), next_page)

    def _next_page(self, shown: Json) -> str | None:
        links = shown.get("links") or []
        if not isinstance(links, list):
            raise EventsUnavailable("the list's links cannot be read")
        onward = [each for each in links if text(each, "rel") == "next"]
        return self._rest(text(onward[0], "href")) if onward else None

    def _rest(self, address: str) -> str:
        """The query that asks for the rest of the list."""
        try:
            parts = urlsplit(address[: _LONGEST_ADDRESS + 1])
            query = parse_qsl(parts.query, strict_parsing=True)
            rest = urlencode([(name, value) for name, value in query if name != "page_size"])
        except ValueError:
            raise EventsUnavailable("the list's next page cannot be read") from None
        # PayPal's own examples end the path with a slash.
        if f"{parts.scheme}://{parts.netloc}{parts.path}".removesuffix("/") not in self._lists:
            raise EventsUnavailable("the list's next page is not at PayPal's list")
        named = all(_NAME.fullmatch(name) for name, _ in query)
        if not rest or not named or len(address) > _LONGEST_ADDRESS:
            raise EventsUnavailable("the list's next page cannot be read")
        return rest


def _from_to(begin: datetime, end: datetime) -> list[tuple[str, str]]:
    # In whole seconds, as PayPal documents it, and none of them too few.
    until = end + timedelta(seconds=1) if end.microsecond else end
    return [("start_time", _written(begin)), ("end_time", _written(until))]


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(shown: Json) -> list[object]:
    events = shown.get("events")
    if events is None and shown.get("count") == 0:
        return []
    if not isinstance(events, list):
        raise EventsUnavailable("the list of events cannot be read")
    if len(events) > LONGEST_PAGE:
        raise EventsUnavailable("a page of the list is too long")
    return events


def _readable(listed: list[object]) -> Iterator[WebhookEvent]:
    for shown in listed:
        try:
            event = event_of(shown) if isinstance(shown, dict) else None
        except Exception:  # noqa: BLE001 - one event that breaks must not hide the others
            _log.exception("an event that PayPal lists cannot be read")
            continue
        if event is None:
            _log.warning("an event that PayPal lists has no id")
        else:
            yield event
