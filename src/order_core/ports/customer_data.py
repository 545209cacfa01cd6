"""The port that finds everything that is kept of one customer, and forgets what is personal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from order_core.events import Happened
from order_core.order import Order
from order_core.ports.order_repository import ReceivedEvent, RequestRecord


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """An order of the customer's, and how many of its events he has still to be told of."""

    order: Order
    untold_events: int


@dataclass(frozen=True, slots=True)
class Telling:
    """An event of an order, and what became of telling it."""

    happened: Happened
    told_at: datetime | None = None
    """None also for what the customer does not hear of."""
    failed_deliveries: int = 0
    given_up_because: str | None = None


@dataclass(frozen=True, slots=True)
class OrderTraces:
    """What is kept beside an order: its history, and the provider's events about it."""

    history: tuple[Telling, ...]
    received: tuple[ReceivedEvent, ...]


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """The memory of a request with an Idempotency-Key, and the order that it is about."""

    record: RequestRecord
    order_id: str


@dataclass(frozen=True, slots=True)
class HeldSession:
    """A session in which a client acts for the customer, by the embedded issuer of tokens."""

    client_id: str
    scope: tuple[str, ...]
    granted_at: datetime
    idle_until: datetime
    ends_at: datetime
    revoked_at: datetime | None


class CustomerData(Protocol):
    """Everything that is kept under one customer's id. Each method may raise `StoreUnavailable`."""

    async def orders(
        self, customer_id: str, /, *, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[HeldOrder, ...]:
        """At most `limit` orders of any status, oldest first (by creation time, then id).

        `after` is time and id of the last one seen. Each order and its number of untold
        events are of the same moment.
        """
        ...

    async def traces(self, order_id: str, /) -> OrderTraces:
        """What is kept beside the order; nothing for one that does not exist."""
        ...

    async def requests(
        self, customer_id: str, /, *, after: tuple[str, str] | None, limit: int
    ) -> tuple[HeldRequest, ...]:
        """At most `limit` requests, by route and key; `after` is those of the last one seen."""
        ...

    async def sessions(self, customer_id: str, /) -> tuple[HeldSession, ...]:
        """Every session that is kept, ended ones too, oldest first. There are few."""
        ...

    async def forget_sessions(self, customer_id: str, /) -> int:
        """End and forget every session; how many there were."""
        ...

    async def erase(self, order: Order, /) -> Order:
        """Store an order whose personal data was erased, and forget every copy of it.

        In one database transaction: the order replaces the stored one of the same version,
        the words of reviews and of refused deliveries go, and no later order is compared
        with it any more. That a request came, and which order it made, is kept.

        Raises:
            ConcurrentUpdate: the stored version is another one. Nothing is erased.
            CommitUnknown: it may have been erased; look again.
        """
        ...
