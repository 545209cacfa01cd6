"""Reads Adyen's events, once their signature is verified."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from Adyen.util import is_valid_hmac_notification  # type: ignore[import-untyped]

from order_adyen.answers import Unreadable, money_in, object_in
from order_adyen.event_facts import dispute_status, facts_of
from order_core.errors import WebhookRejected
from order_core.ports.webhook_parser import WebhookEvent

# The signed text joins these with ":", and so none of them may contain one.
_SIGNED: Final = {
    "pspReference": re.compile(r"[A-Za-z0-9]{1,64}"),
    "originalReference": re.compile(r"[A-Za-z0-9]{0,64}"),
    "merchantAccountCode": re.compile(r"[A-Za-z0-9_.-]{1,128}"),
    "merchantReference": re.compile(r"[^:]{0,256}"),
    "eventCode": re.compile(r"[A-Z0-9_]{1,64}"),
    "success": re.compile(r"true|false"),
}
_MOST_VALUES: Final = 10_000


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AdyenWebhooks:
    """Reads the events of one merchant account; `hmac_key` is hexadecimal.

    Neither the time nor any metadata is signed: a repeated event is known by what it says.
    """

    def __init__(
        self, *, hmac_key: str, merchant: str, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self._now = now
        self._hmac_key = hmac_key
        self._merchant = merchant

    async def parse(self, body: bytes, _headers: Mapping[str, str], /) -> WebhookEvent:
        try:
            _refuse_many_values(body)
            item = _only_item(json.loads(body))
            self._verify(item)
            return self._event(item)
        except (ValueError, RecursionError) as error:
            raise WebhookRejected("the event cannot be read, or is not Adyen's") from error

    def _verify(self, item: Mapping[str, object]) -> None:
        for name, form in _SIGNED.items():
            value = item.get(name, "")
            if not isinstance(value, str) or not form.fullmatch(value):
                raise Unreadable(name)
        money_in(item.get("amount"))
        try:
            genuine = is_valid_hmac_notification(item, self._hmac_key)
        except Exception as error:  # the SDK's check trips over whatever is missing
            raise Unreadable("no signature") from error
        # None means that there was no signature at all.
        if genuine is not True:
            raise WebhookRejected("the signature is wrong")
        if item["merchantAccountCode"] != self._merchant:
            raise WebhookRejected("the event is another merchant account's")

    def _event(self, item: Mapping[str, object]) -> WebhookEvent:
        name, success = str(item["eventCode"]), str(item["success"])
        event_id = f"{name}:{item['pspReference']}:{success}"
        if status := dispute_status(item):
            # One stage of a dispute is told several times, and only its status differs.
            event_id += f":{status}"
        return WebhookEvent(event_id, name, facts_of(item, heard_at=self._now()))


def _refuse_many_values(body: bytes) -> None:
    # The signature is inside, so whoever is speaking is found out only after the reading: a
    # megabyte of empty lists would keep the event loop for a second.
    if sum(map(body.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise ValueError("it has more values than any event")


def _only_item(shown: object) -> Mapping[str, object]:
    """The SDK checks the first of several only; Adyen sends one at a time."""
    items = object_in(shown).get("notificationItems")
    if not isinstance(items, list) or len(items) != 1:
        raise Unreadable("not exactly one item")
    return dict(object_in(object_in(items[0]).get("NotificationRequestItem")))
