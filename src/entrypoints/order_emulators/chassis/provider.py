"""What a pretended provider does; everything else is the chassis."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from secrets import token_hex
from typing import Protocol

from order_emulators.chassis.call import Answer, Call


class Decision(StrEnum):
    """What the buyer does when asked."""

    APPROVE = "approve"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One movement of money that really happened (or was begun), in the provider's books."""

    kind: str
    """`charge`, `authorization`, `capture`, `void`, `refund` or `dispute`."""
    reference: str
    amount: int
    """In the currency's minor units, as ISO 4217 counts them."""
    currency: str
    status: str
    """The provider's own word. `moved` says whether money moved or is held."""
    moved: bool
    transaction_id: str | None = None
    """Ours, as it came with the request."""
    parent_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell the shop. `payload` is the body that is signed."""

    id: str
    type: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """An event as it goes over the wire."""

    body: bytes
    headers: Mapping[str, str]


def _now() -> datetime:
    return datetime.now(UTC)


def _run() -> str:
    return token_hex(5)


@dataclass(frozen=True, slots=True)
class Provision:
    """What the chassis gives a provider when it is built.

    `secrets` are the provider's own (an API key, a webhook secret), by names of its choice.
    """

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    webhook_url: str | None = None
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    run: str = field(default_factory=_run)
    """Ten hexadecimal digits that no run before had, unless it goes on where that one ended."""


class EmulatedProvider(Protocol):
    """The rules of one provider, in memory. Answers in its words, errors included."""

    async def answer(self, call: Call, /) -> Answer:
        """Do what `call` asks, its `work_seconds` and `fails_after` included."""
        ...

    def server_error(self, call: Call, /) -> Answer:
        """The provider's 5xx for a call that was not looked at."""
        ...

    def rate_limited(self, call: Call, /) -> Answer:
        """The provider's 429 for a call that was not looked at."""
        ...

    def ledger(self) -> Sequence[LedgerEntry]:
        """Every movement, oldest first."""
        ...

    def act(self, reference: str, decision: Decision, /) -> bool:
        """Let the buyer decide about what waits for him; False if nothing of this id waits."""
        ...

    def take_events(self) -> Sequence[Event]:
        """What happened since the last time this was asked, oldest first."""
        ...

    def signed(self, event: Event, /, *, url: str, at: datetime, forged: bool) -> SignedEvent:
        """The event as sent to `url` at `at`; `forged` makes its signature a wrong one."""
        ...
