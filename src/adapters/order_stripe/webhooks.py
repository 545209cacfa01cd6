"""Reads Stripe's events, once their signature is verified."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import stripe

from order_core.errors import WebhookRejected, WebhookUnverifiable
from order_core.ports.webhook_parser import WebhookEvent
from order_stripe.answers import Json, Unreadable
from order_stripe.asking import CannotAsk
from order_stripe.event_facts import REFUNDED, facts_of

RefundsOf = Callable[[str], Awaitable[tuple[Json, ...]]]

_log: Final = logging.getLogger(__name__)
_OTHER_MODE: Final = (
    "Stripe tells of the other mode than that of the key: check the webhook secret."
)
_ALL_REFUNDS_ARE_TOLD: Final = "2024-10-28"
"""Since this version of the API, `refund.created` is told of every refund."""
_OLD_VERSION: Final = (
    "Stripe tells of events in a version before 2024-10-28: give the webhook endpoint a newer one."
)
_ASKING_SECONDS: Final = 8
_WINDOW_SECONDS: Final = 300
"""An event is taken only if it was signed this recently, or this little ahead of our clock."""
_LONGEST_HEADER: Final = 4096
_LONGEST_WORD: Final = 255


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StripeWebhooks:
    """`secret` is the endpoint's signing secret (`whsec_...`).

    `livemode` is the mode whose events are ours; None takes those of both. `refunds_of` asks
    for the refunds of a PaymentIntent, which events of older versions leave out.
    """

    def __init__(
        self,
        secret: str,
        *,
        livemode: bool | None = None,
        refunds_of: RefundsOf | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        if not secret:
            raise ValueError("without a secret, everybody could sign")
        self._secret = secret
        self._livemode = livemode
        self._refunds_of = refunds_of
        self._now = now
        self._warned: set[str] = set()

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        self._verify(body, headers.get("stripe-signature", ""))
        event = _event(body)
        event_id, name = event.get("id"), event.get("type")
        if not _is_word(event_id) or not _is_word(name):
            raise WebhookRejected("the event has no id or type")
        if self._livemode is not None and event.get("livemode") is (not self._livemode):
            self._warn_once(_OTHER_MODE)
            return WebhookEvent(str(event_id), str(name))
        data = await self._with_refunds(str(name), event)
        try:
            facts = facts_of(str(name), data, event.get("created"))
        except Unreadable as error:
            raise WebhookRejected("the event cannot be read") from error
        return WebhookEvent(str(event_id), str(name), facts)

    async def _with_refunds(self, name: str, event: Mapping[str, Any]) -> object:
        """The event's data, to which Stripe is asked for the refunds that nobody else tells."""
        data, version = event.get("data"), event.get("api_version")
        if isinstance(version, str) and version >= _ALL_REFUNDS_ARE_TOLD:
            return data
        if isinstance(version, str):
            self._warn_once(_OLD_VERSION)
        charge = data.get("object") if isinstance(data, Mapping) else None
        if name != REFUNDED or not isinstance(charge, Mapping) or charge.get("refunds"):
            return data
        intent = charge.get("payment_intent")
        if self._refunds_of is None or not isinstance(intent, str):
            return data
        try:
            async with asyncio.timeout(_ASKING_SECONDS):
                refunds = await self._refunds_of(intent)
        except (CannotAsk, TimeoutError) as error:
            raise WebhookUnverifiable("the refunds of a charge cannot be had") from error
        return {"object": {**charge, "refunds": {"data": refunds}}}

    def _warn_once(self, warning: str) -> None:
        if warning not in self._warned:
            self._warned.add(warning)
            _log.warning(warning)

    def _verify(self, body: bytes, header: str) -> None:
        if len(header) > _LONGEST_HEADER:
            raise WebhookRejected("the signature is too long")
        try:
            # The time is checked below: the SDK lets an event from the future pass.
            stripe.WebhookSignature.verify_header(body, header, self._secret, tolerance=None)
        except (stripe.SignatureVerificationError, ValueError, IndexError, TypeError) as error:
            raise WebhookRejected("the signature is missing or wrong") from error
        if abs(self._now().timestamp() - _signed_at(header)) > _WINDOW_SECONDS:
            raise WebhookRejected("the signature is too old, or from the future")


def _signed_at(header: str) -> int:
    """The time that the signature covers: the first `t`, as in the SDK."""
    for item in header.split(","):
        name, _, value = item.partition("=")
        if name == "t":
            return int(value)
    raise WebhookRejected("the signature has no time")


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookRejected("the event is not JSON") from error
    if not isinstance(event, dict) or event.get("object") != "event":
        raise WebhookRejected("this is no event that carries its object")
    return event


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD
