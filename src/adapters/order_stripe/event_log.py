"""Reads Stripe's own record of its events, which holds also those that never came here."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import stripe

from order_core.errors import EventsUnavailable
from order_core.ports.event_log import LONGEST_PAGE, EventPage
from order_core.ports.webhook_parser import WebhookEvent
from order_stripe.answers import Json, Unreadable
from order_stripe.asking import Asking, CannotAsk
from order_stripe.event_facts import EVENTS
from order_stripe.event_reader import EventReader, word
from order_stripe.http_client import NeverSent

_LIST_SECONDS: Final = 12
_READING_SECONDS: Final = 8
"""After that long, the rest of a page is left for the next one: Stripe may have to be asked for
the refunds of each event, and takes 8 seconds more at most for the last."""

_log: Final = logging.getLogger(__name__)


class StripeEventLog:
    """Takes a ready client (see `stripe_client`); `livemode` is that of `EventReader`.

    Stripe shows an event as its account's version of the API had it when it came to be,
    whatever the version of the endpoint to which it was delivered.
    """

    def __init__(
        self,
        client: stripe.StripeClient,
        *,
        livemode: bool | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._reader = EventReader(livemode=livemode, refunds_of=Asking(client).refunds_of)
        self._monotonic = monotonic

    async def read(
        self, begin: datetime, end: datetime, /, *, page: str | None = None
    ) -> EventPage:
        rows, has_more = await self._ask(begin, end, page)
        events: list[WebhookEvent] = []
        enough = self._monotonic() + _READING_SECONDS
        last = page
        for row in rows:
            if self._monotonic() > enough:
                has_more = True
                break
            last = _id(row) or last
            events += await self._read(row)
        if not has_more:
            return EventPage(tuple(events))
        if last == page:
            raise EventsUnavailable("a list that goes on from nowhere")
        return EventPage(tuple(events), last)

    async def _ask(
        self, begin: datetime, end: datetime, page: str | None
    ) -> tuple[Sequence[Json], bool]:
        """Stripe's events as it shows them, and whether there are more of them."""
        params: Any = {
            "created": {"gte": int(begin.timestamp()), "lte": int(end.timestamp())},
            "limit": LONGEST_PAGE,
            "types": list(EVENTS),
            **({} if page is None else {"starting_after": page}),
        }
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                return _rows(await self._client.v1.events.list_async(params))
        except TimeoutError as error:
            raise EventsUnavailable("no answer in time") from error
        except stripe.StripeError as error:
            raise EventsUnavailable(_because(error)) from error
        except (ValueError, RecursionError) as error:
            # Also what the SDK leaves to Python: bytes that are no text, or JSON too deep for it.
            raise EventsUnavailable("an answer that cannot be read") from error

    async def _read(self, row: Json) -> tuple[WebhookEvent, ...]:
        try:
            return (await self._reader.read(row),)
        except Unreadable as error:
            _log.warning(
                "event %s in Stripe's record is left out: %s", _id(row) or "without an id", error
            )
            return ()
        except CannotAsk as error:
            raise EventsUnavailable("the refunds of a charge cannot be had") from error


def _rows(answer: object) -> tuple[Sequence[Json], bool]:
    shown = answer.to_dict() if isinstance(answer, stripe.StripeObject) else {}
    rows, has_more = shown.get("data"), shown.get("has_more")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Unreadable("a list without data")
    if len(rows) > LONGEST_PAGE or not isinstance(has_more, bool):
        raise Unreadable("a list that does not say where it ends")
    return rows, has_more


def _id(row: Json) -> str | None:
    try:
        return word(row, "id")
    except Unreadable:
        return None


def _because(error: stripe.StripeError) -> str:
    """Why there are no events. Text of Stripe's is never in it."""
    match error:
        case NeverSent():
            return "no connection"
        case stripe.APIConnectionError():
            return "no answer"
        case stripe.AuthenticationError():
            return "the API key is refused"
        case stripe.PermissionError():
            return "the API key may not read events"
        case stripe.RateLimitError():
            return "asked too often"
    return f"answer {error.http_status or 'none'}"
