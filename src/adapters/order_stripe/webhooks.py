"""Reads what Stripe delivers, once its signature is verified."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import stripe

from order_core.errors import WebhookRejected, WebhookUnverifiable
from order_core.ports.webhook_parser import WebhookEvent
from order_stripe.answers import Unreadable
from order_stripe.asking import CannotAsk
from order_stripe.event_reader import ALL_REFUNDS_ARE_TOLD, EventReader, RefundsOf

_log: Final = logging.getLogger(__name__)
_OTHER_MODE: Final = (
    "Stripe tells of the other mode than that of the key: check the webhook secret."
)
_OLD_VERSION: Final = (
    "Stripe tells of events in a version before 2024-10-28: give the webhook endpoint a newer one."
)
_WINDOW_SECONDS: Final = 300
"""An event is taken only if it was signed this recently, or this little ahead of our clock."""
_LONGEST_HEADER: Final = 4096


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StripeWebhooks:
    """`secret` is the endpoint's signing secret (`whsec_...`).

    `livemode` and `refunds_of` are those of `EventReader`.
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
        self._reader = EventReader(livemode=livemode, refunds_of=refunds_of)
        self._now = now
        self._warned: set[str] = set()

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        self._verify(body, headers.get("stripe-signature", ""))
        event = _event(body)
        self._warn_about(event)
        try:
            return await self._reader.read(event)
        except Unreadable as error:
            raise WebhookRejected("the event cannot be read") from error
        except CannotAsk as error:
            raise WebhookUnverifiable("the refunds of a charge cannot be had") from error

    def _warn_about(self, event: Mapping[str, Any]) -> None:
        """Say what is wrong with the endpoint's settings, if its event shows it."""
        version = event.get("api_version")
        if self._reader.is_of_other_mode(event):
            self._warn_once(_OTHER_MODE)
        elif isinstance(version, str) and version < ALL_REFUNDS_ARE_TOLD:
            self._warn_once(_OLD_VERSION)

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
