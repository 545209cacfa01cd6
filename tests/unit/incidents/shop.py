"""A shop in memory that also hears what its provider tells by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from order_core.assembly import OrderCore
from order_core.order import Order
from order_core.outcomes import Outcome
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.ports import ProviderFact, ReceivedEvent, WebhookEvent
from order_memory import LedgerEntry, Standing
from tests.unit.core.conftest import CUSTOMER, a_request
from tests.unit.core.conftest import Shop as QuietShop


class Events:
    """Reads events that the test has named before; the body is the name."""

    def __init__(self) -> None:
        self.named: dict[str, WebhookEvent] = {}

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        return self.named[body.decode()]


def fact(transaction: PaymentTransaction, outcome: Outcome, reference: str) -> ProviderFact:
    """What an event says about a movement of ours."""
    return ProviderFact(
        transaction.kind,
        outcome,
        reference,
        transaction.id,
        transaction.installation,
        transaction.parent_reference,
    )


def fact_of(entry: LedgerEntry) -> ProviderFact:
    """What an event says that shows this entry as it is now."""
    return fact(entry.transaction, entry.outcome, entry.reference)


@dataclass
class Shop(QuietShop):
    """A shop with an address that its provider can tell things to."""

    events: Events = field(default_factory=Events)
    event_numbers: Any = field(default_factory=lambda: count(1))

    def assembled(self, **but: Any) -> OrderCore:
        return super().assembled(**({"webhooks": {"scripted": self.events}} | but))

    async def hear(
        self, *facts: ProviderFact, event: str | None = None, core: OrderCore | None = None
    ) -> ReceivedEvent:
        """Receive one event of the provider."""
        name = event or f"evt-{next(self.event_numbers)}"
        self.name_event(name, *facts)
        return await (core or self.core).receive_webhook("scripted", name.encode(), {})

    def name_event(self, name: str, *facts: ProviderFact) -> None:
        """Let the provider have an event of this name, which somebody will deliver."""
        self.events.named[name] = WebhookEvent(name, "payment.changed", facts)

    async def hear_everything(self, core: OrderCore | None = None) -> None:
        """Receive an event about each movement that the provider has, as it is now."""
        for entry in self.gateway.ledger.entries:
            await self.hear(fact_of(entry), core=core)

    async def order(self) -> Order:
        """The only order there is, as it is stored now."""
        (order,) = self.all_orders
        return await self.orders.get(order.id)

    def done_at_the_provider(self, kind: TransactionKind) -> list[int]:
        """Minor units of each movement of this kind that really happened."""
        return [
            entry.amount.minor_units
            for entry in self.gateway.ledger.entries
            if entry.transaction.kind is kind and entry.standing is Standing.SUCCEEDED
        ]

    @property
    def charges(self) -> list[int]:
        return self.done_at_the_provider(TransactionKind.CHARGE)

    @property
    def refunds(self) -> list[int]:
        return self.done_at_the_provider(TransactionKind.REFUND)

    async def times(self, event: str) -> int:
        """How often this happened to the only order."""
        history = await self.orders.history((await self.order()).id)
        return [entry.event.name for entry in history.entries].count(event)


__all__ = ["CUSTOMER", "Events", "Shop", "a_request", "fact", "fact_of"]
