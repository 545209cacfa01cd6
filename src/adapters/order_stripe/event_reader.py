"""Reads an event of Stripe's, whether it was delivered or stands in Stripe's own record."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from order_core.ports.webhook_parser import WebhookEvent
from order_stripe.answers import Json, Unreadable
from order_stripe.asking import CannotAsk
from order_stripe.event_facts import REFUNDED, facts_of

RefundsOf = Callable[[str], Awaitable[tuple[Json, ...]]]

ALL_REFUNDS_ARE_TOLD: Final = "2024-10-28"
"""Since this version of the API, `refund.created` is told of every refund."""

_ASKING_SECONDS: Final = 8
_LONGEST_WORD: Final = 255


class EventReader:
    """`livemode` is the mode whose events are ours; None takes those of both.

    `refunds_of` asks for the refunds of a PaymentIntent, which events of older versions
    leave out.
    """

    def __init__(
        self, *, livemode: bool | None = None, refunds_of: RefundsOf | None = None
    ) -> None:
        self._livemode = livemode
        self._refunds_of = refunds_of

    def is_of_other_mode(self, event: Json) -> bool:
        """Whether it tells of test money with a live key, or the other way round."""
        return self._livemode is not None and event.get("livemode") is (not self._livemode)

    async def read(self, event: Json) -> WebhookEvent:
        """What the event says; nothing if it is of the other mode. Ends within 8 seconds.

        Raises:
            Unreadable: it is not as documented.
            CannotAsk: it leaves out refunds that Stripe does not tell just now.
        """
        event_id, name = word(event, "id"), word(event, "type")
        if self.is_of_other_mode(event):
            return WebhookEvent(event_id, name)
        data = await self._with_refunds(name, event)
        return WebhookEvent(event_id, name, facts_of(name, data, event.get("created")))

    async def _with_refunds(self, name: str, event: Json) -> object:
        """The event's data, to which Stripe is asked for the refunds that nobody else tells."""
        data, version = event.get("data"), event.get("api_version")
        if isinstance(version, str) and version >= ALL_REFUNDS_ARE_TOLD:
            return data
        charge = data.get("object") if isinstance(data, Mapping) else None
        if name != REFUNDED or not isinstance(charge, Mapping) or charge.get("refunds"):
            return data
        intent = charge.get("payment_intent")
        if self._refunds_of is None or not isinstance(intent, str):
            return data
        try:
            async with asyncio.timeout(_ASKING_SECONDS):
                refunds = await self._refunds_of(intent)
        except TimeoutError as error:
            raise CannotAsk from error
        return {"object": {**charge, "refunds": {"data": refunds}}}


def word(event: Json, field: str) -> str:
    """A short text of the event's own, like its id.

    Raises:
        Unreadable: there is none.
    """
    value = event.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_WORD:
        raise Unreadable(f"the event has no {field}")
    return value
