"""The port that reads a provider's own record of what it told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from order_core.ports.webhook_parser import WebhookEvent

LONGEST_PAGE: Final = 100
"""Events that a page holds at most."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some of the events that were asked for."""

    events: tuple[WebhookEvent, ...]
    next_page: str | None = None
    """Where the rest of them begins, in the provider's own words; None: there are no more."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """A provider's record of its events, as one installation reads it.

    Another installation on the same account takes in other events of it.
    """

    provider: str
    account: str
    """The account and its mode, as the gateway's profile names them."""
    installation: str


@dataclass(frozen=True, slots=True)
class TakenIn:
    """How far a record was taken in."""

    until: datetime | None
    """What the provider told before it was taken in, with its effects; None: nobody has said."""
    now: datetime
    """The store's present moment, by whose clock `until` is."""


class EventLog(Protocol):
    """Every event of one account at one provider, whether or not it was ever delivered."""

    async def read(
        self, begin: datetime, end: datetime, /, *, page: str | None = None
    ) -> EventPage:
        """A page of what came to be from `begin` to `end`, in any order.

        It is the first one, or the one of which `next_page` told. Each event has the id with
        which it is delivered. Those of a type that is not known here may be left out, and one
        that cannot be read is logged and left out. A page has at most `LONGEST_PAGE` events, and
        may have none. Ends within 30 seconds.

        Raises:
            EventsUnavailable: the provider does not say, or nothing that can be read.
        """
        ...
