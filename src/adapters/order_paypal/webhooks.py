"""PayPal's events: their signature is checked here, without asking PayPal about each one."""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from order_core.errors import WebhookRejected
from order_core.ports.webhook_parser import WebhookEvent
from order_paypal.certificates import Certificates
from order_paypal.events import event_of
from order_paypal.reading import Json

_OLDEST: Final = timedelta(days=3, hours=6)
_FURTHEST_AHEAD: Final = timedelta(minutes=5)
_TRANSMISSION_ID: Final = re.compile(r"[A-Za-z0-9-]{1,100}")
_LONGEST_SIGNATURE: Final = 1024
_MOST_BYTES: Final = 2**20


class PayPalWebhooks:
    """Reads the events that PayPal sends to the webhook `webhook_id`.

    PayPal tries for three days, with the first try's time and signature; older events are
    refused.
    """

    def __init__(
        self,
        webhook_id: str,
        certificates: Certificates,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._webhook_id = webhook_id
        self._certificates = certificates
        self._now = now

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        await self._verify(body, headers)
        event = event_of(_read(body))
        if event is None:
            raise WebhookRejected("the event has no id")
        return event

    async def _verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        if len(body) > _MOST_BYTES:
            raise WebhookRejected("the body is too long")
        if headers.get("paypal-auth-algo") != "SHA256withRSA":
            raise WebhookRejected("the algorithm is not SHA256withRSA")
        transmission_id = headers.get("paypal-transmission-id", "")
        if not _TRANSMISSION_ID.fullmatch(transmission_id):
            raise WebhookRejected("there is no transmission id")
        moment = headers.get("paypal-transmission-time", "")
        self._check_time(moment)
        signature = _signature(headers.get("paypal-transmission-sig", ""))
        key = await self._certificates.key(headers.get("paypal-cert-url", ""))
        message = f"{transmission_id}|{moment}|{self._webhook_id}|{zlib.crc32(body)}"
        try:
            key.verify(signature, message.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise WebhookRejected("the signature is wrong") from None

    def _check_time(self, written: str) -> None:
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            raise WebhookRejected("there is no transmission time") from None
        if moment.tzinfo is None:
            raise WebhookRejected("the transmission time has no zone")
        age = self._now() - moment
        if not -_FURTHEST_AHEAD <= age <= _OLDEST:
            raise WebhookRejected("the transmission time is too old or too far ahead")


def _signature(written: str) -> bytes:
    if len(written) > _LONGEST_SIGNATURE:
        raise WebhookRejected("the signature is too long")
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        raise WebhookRejected("the signature cannot be read") from None


def _read(body: bytes) -> Json:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookRejected("the body is not JSON") from None
    if not isinstance(event, dict):
        raise WebhookRejected("the body is no object")
    return event
