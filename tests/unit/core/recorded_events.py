"""A provider's record of its events for the tests, and processes that read it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

from order_core.errors import StoreUnavailable
from order_core.money import Money
from order_core.outcomes import Succeeded
from order_core.payment import TransactionKind
from order_core.payment_terms import GatewayProfile
from order_core.ports import EventPage, ProviderFact, WebhookEvent
from order_core.use_cases.reconcile import YOUNGEST
from order_memory import InMemoryEventLog, ScriptedGateway

REFERENCE: Final = "ref-000001"
"""The first payment of a shop."""
MOMENT: Final = timedelta(microseconds=1)


class Record:
    """A provider's record, in pages of two; `asked` are the questions that it was asked."""

    def __init__(self, shop: Any, *events: WebhookEvent) -> None:
        self.log = InMemoryEventLog(shop.clock, page_size=2)
        for event in reversed(events):
            self.log.enter(event)
        self.asked: list[tuple[datetime, datetime, str | None]] = []
        self.fails_with: list[Exception] = []
        # The youngest hour is left to the events themselves.
        shop.clock.advance(2 * YOUNGEST)

    async def read(
        self, begin: datetime, end: datetime, /, *, page: str | None = None
    ) -> EventPage:
        self.asked.append((begin, end, page))
        if self.fails_with:
            raise self.fails_with.pop(0)
        return await self.log.read(begin, end, page=page)


class Forgetful:
    """The shop's orders, away at the first call of one method."""

    def __init__(self, shop: Any, call: str) -> None:
        self._orders, self._call = shop.orders, call

    def __getattr__(self, name: str) -> Any:
        if name == self._call:
            self._call = ""
            raise StoreUnavailable("away")
        return getattr(self._orders, name)


class Slow:
    """The shop's orders, with a turn for somebody else before each call and after it."""

    def __init__(self, shop: Any) -> None:
        self._orders = shop.orders

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **named: Any) -> Any:
            await asyncio.sleep(0)
            answer = await getattr(self._orders, name)(*args, **named)
            await asyncio.sleep(0)
            return answer

        return call


def refund(minor_units: int, name: str) -> WebhookEvent:
    """A part of the first payment goes back at the dashboard."""
    back = Succeeded(name, Money(minor_units, "EUR"), "")
    fact = ProviderFact(TransactionKind.REFUND, back, name, parent_reference=REFERENCE)
    return WebhookEvent(f"evt-{name}", "charge.refunded", (fact,))


def reconciling(shop: Any, *records: Record, **ports: Any) -> Any:
    """The use cases of a process that starts now."""
    other = ScriptedGateway(shop.clock, profile=GatewayProfile("other", "test"))
    ports = {"gateways": {"scripted": shop.gateway, "other": other}} | ports
    logs = dict(zip(("scripted", "other"), records, strict=False))
    return shop.assembled(event_logs=logs, **ports)


async def walked(core: Any, *, rounds: int = 20) -> list[int]:
    """What a whole walk took in, round by round."""
    return [await core.reconcile(limit=20) for _ in range(rounds)]
