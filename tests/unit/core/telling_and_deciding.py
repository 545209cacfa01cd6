"""A provider that tells by events, and a person who decides, for tests of money on record."""

from collections.abc import Mapping
from typing import Any

from order_core.money import Money
from order_core.order import Order
from order_core.payment import TransactionKind
from order_core.payment_terms import GatewayProfile
from order_core.ports import ProviderFact, WebhookEvent
from order_core.reviewing import ReviewDecision
from order_memory import ScriptedGateway

WHOLE = Money(2500, "EUR")
PART = Money(700, "EUR")


class Provider:
    """Tells the shop what it is given to tell, one event for each fact."""

    def __init__(self, shop: Any) -> None:
        self.shop, self.told = shop, 0
        shop.core = shop.assembled(webhooks={"scripted": self})

    async def parse(self, _body: bytes, _headers: Mapping[str, str], /) -> WebhookEvent:
        self.told += 1
        return WebhookEvent(f"e-{self.told}", "money", (self.fact,))

    async def tells(self, kind: TransactionKind, outcome: Any, **named: Any) -> str:
        """The verdict of the shop."""
        self.fact = ProviderFact(kind, outcome, outcome.reference, **named)
        return str((await self.shop.core.receive_webhook("scripted", b"", {})).verdict)


async def decide(shop: Any, order: Order, transaction: Any, what: ReviewDecision) -> Order:
    """A person has looked at a transaction."""
    decided: Order = await shop.core.review(
        order.id, transaction_id=transaction.id, decision=what, note="looked at", by="staff"
    )
    return decided


def without_look_ups(shop: Any) -> Any:
    """As Adyen's gateway declares itself."""
    profile = GatewayProfile("scripted", "test", looks_up=frozenset())
    shop.gateway = ScriptedGateway(shop.clock, profile=profile)
    shop.core = shop.assembled()
    return shop
