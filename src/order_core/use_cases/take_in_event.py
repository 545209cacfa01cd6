"""Take in one event of a provider, however it came here, and remember it."""

from dataclasses import dataclass
from typing import Final

from order_core.ports import Clock, OrderRepository, ProviderFact, ReceivedEvent, WebhookEvent
from order_core.use_cases.take_in import (
    NO_NEWS,
    OTHER_INSTALLATION,
    SETTLED,
    UNKNOWN_TRANSACTION,
    TakeIn,
)

NO_FACT: Final = "no_fact"

_GRAVEST_FIRST: Final = (UNKNOWN_TRANSACTION, SETTLED, NO_NEWS, OTHER_INSTALLATION, NO_FACT)


@dataclass(frozen=True, slots=True)
class TakeInEvent:
    """What an event comes to; safe to call twice, late, or beside anything else."""

    orders: OrderRepository
    take_in: TakeIn
    clock: Clock

    async def __call__(self, provider: str, event: WebhookEvent) -> ReceivedEvent:
        """What the event came to; it is stored, with its effect, when this returns.

        The effect comes first and the memory of the event last: an event that is
        remembered has done its work, and one that came twice does no harm. Another
        installation's is not remembered.

        Raises:
            StoreUnavailable, CommitUnknown, ConcurrentUpdate: bring the event again.
        """
        verdicts, order_id = {NO_FACT}, None
        early: list[ProviderFact] = []
        for fact in event.facts:
            verdict, order = await self.take_in(provider, fact)
            verdicts.add(verdict)
            order_id = order.id if order else order_id
            if verdict == UNKNOWN_TRANSACTION and _may_be_matched(fact):
                early.append(fact)
        received = ReceivedEvent(
            provider=provider,
            event_id=event.id,
            name=event.name,
            received_at=self.clock.now(),
            verdict=next(verdict for verdict in _GRAVEST_FIRST if verdict in verdicts),
            order_id=order_id,
            facts=tuple(early),
        )
        if received.verdict != OTHER_INSTALLATION:
            # Else one process with a wrong setting would hide our own events from the others.
            await self.orders.receive(received)
        return received


def _may_be_matched(fact: ProviderFact) -> bool:
    """Whether the fact names anything that an order of ours may have one day.

    The rest is money of others on the same account, however often it is looked at.
    """
    return fact.parent_reference is not None or fact.transaction_id is not None
