"""Reads Stripe's events, once their signature is verified."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import stripe

from order_core.errors import WebhookRejected
from order_core.ports.webhook_parser import WebhookEvent
from order_stripe.answers import Unreadable
from order_stripe.event_facts import facts_of

_log: Final = logging.getLogger(__name__)
_OTHER_MODE: Final = (
    "Stripe tells of the other mode than that of the key: check the webhook secret."
)
_WINDOW_SECONDS: Final = 300
"""An event is taken only if it was signed this recently, or this little ahead of our clock."""
_LONGEST_HEADER: Final = 4096
_LONGEST_WORD: Final = 255


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StripeWebhooks:
    """`secret` is the endpoint's signing secret (`whsec_...`).

    `livemode` is the mode whose events are ours; None takes those of both.
    """

    def __init__(
        self,
        secret: str,
        *,
        livemode: bool | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        if not secret:
            raise ValueError("without a secret, everybody could sign")
        self._secret = secret
        self._livemode = livemode
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
        try:
            facts = facts_of(str(name), event.get("data"), event.get("created"))
        except Unreadable as error:
            raise WebhookRejected("the event cannot be read") from error
        return WebhookEvent(str(event_id), str(name), facts)

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
