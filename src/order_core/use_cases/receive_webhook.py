"""Take in what a provider tells by itself, and let it settle what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass

from order_core.errors import UnknownProvider
from order_core.ports import ReceivedEvent, WebhookParser
from order_core.use_cases.take_in_event import TakeInEvent


@dataclass(frozen=True, slots=True)
class ReceiveWebhook:
    """The provider's own voice: as welcome as an answer, in any order, any number of times."""

    parsers: Mapping[str, WebhookParser]
    take_in_event: TakeInEvent

    async def __call__(
        self, provider: str, body: bytes, headers: Mapping[str, str]
    ) -> ReceivedEvent:
        """What the event came to; it is stored, with its effect, when this returns.

        Raises:
            UnknownProvider: nobody reads this provider's events here.
            WebhookRejected, WebhookUnverifiable: see `WebhookParser.parse`.
            StoreUnavailable, CommitUnknown, ConcurrentUpdate: it must be delivered again.
        """
        if provider not in self.parsers:
            raise UnknownProvider(provider)
        event = await self.parsers[provider].parse(body, headers)
        return await self.take_in_event(provider, event)
