"""Square's events as they are delivered."""

import json
import re
from collections.abc import Mapping
from typing import Final

from square.utils.webhooks_helper import verify_signature

from order_core.errors import WebhookRejected
from order_core.ports.webhook_parser import WebhookEvent
from order_square.events import EventReader

_SIGNATURE: Final = "x-square-hmacsha256-signature"
_BASE64_OF_SHA256: Final = re.compile(r"[A-Za-z0-9+/]{43}=")


class SquareWebhooks:
    """Reads what is delivered about one location.

    `url` is the notification address exactly as it stands in Square's dashboard: it is part of
    what is signed. The signature has no time; a repeated event is known by its id.
    """

    def __init__(self, *, signature_key: str, url: str, location_id: str) -> None:
        self._signature_key = signature_key
        self._url = url
        self._reader = EventReader(location_id)

    async def parse(self, body: bytes, headers: Mapping[str, str], /) -> WebhookEvent:
        self._verify(body, headers)
        try:
            return self._reader.event(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise WebhookRejected("the event cannot be read") from error

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        signature = headers.get(_SIGNATURE, "")
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise WebhookRejected("the body is not UTF-8") from error
        # The SDK's check fails in many ways for a missing header or an empty body, so neither
        # gets there.
        if not text or not _BASE64_OF_SHA256.fullmatch(signature):
            raise WebhookRejected("the signature is missing or has no possible form")
        genuine = verify_signature(
            request_body=text,
            signature_header=signature,
            signature_key=self._signature_key,
            notification_url=self._url,
        )
        if genuine is not True:
            raise WebhookRejected("the signature is wrong")
