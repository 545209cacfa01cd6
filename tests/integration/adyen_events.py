"""Events as Adyen would send them, signed with the key that the tests know."""

import json
from typing import Any

from Adyen.util import generate_notification_sig  # type: ignore[import-untyped] # The SDK tells no types.

from tests.integration.adyen_wire import HMAC_KEY, MERCHANT


def an_event(name: str, *, more: dict[str, str] | None = None, **but: Any) -> bytes:
    """The event `name` about a charge of ours, with `but` instead; None leaves a field out.

    `more` is what Adyen tells beside it and does not sign.
    """
    item: dict[str, Any] = {
        "amount": {"currency": "EUR", "value": 2500},
        "eventCode": name,
        "eventDate": "2030-01-01T12:00:00+01:00",
        "merchantAccountCode": MERCHANT,
        "merchantReference": "charge-1@kiel-1",
        "originalReference": "PAYMENT1",
        "paymentMethod": "visa",
        "pspReference": "MODIFICATION1",
        "reason": "",
        "success": "true",
        **but,
    }
    item = {field: value for field, value in item.items() if value is not None}
    signature = generate_notification_sig(item, HMAC_KEY)
    item["additionalData"] = {"hmacSignature": signature.decode(), **(more or {})}
    shown = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
    return json.dumps(shown).encode()
