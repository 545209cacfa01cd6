"""Adyen's events."""

import json
import re
from collections.abc import Mapping
from typing import Final

from Adyen.util import is_valid_hmac_notification  # type: ignore[import-untyped]

from order_adyen.answers import Unreadable, money_in, object_in, reference_in
from order_adyen.marks import Mark, mark
from order_core.errors import WebhookRejected
from order_core.money import Money
from order_core.outcomes import Authorized, Declined, Outcome, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports.webhook_parser import ProviderFact, WebhookEvent

# The signed text joins these with ":", and so none of them may contain one.
_SIGNED: Final = {
    "pspReference": re.compile(r"[A-Za-z0-9]{1,64}"),
    "originalReference": re.compile(r"[A-Za-z0-9]{0,64}"),
    "merchantAccountCode": re.compile(r"[A-Za-z0-9_.-]{1,128}"),
    "merchantReference": re.compile(r"[^:]{0,256}"),
    "eventCode": re.compile(r"[A-Z0-9_]{1,64}"),
    "success": re.compile(r"true|false"),
}
_LATER: Final = {
    "CAPTURE": TransactionKind.CAPTURE,
    "CANCELLATION": TransactionKind.VOID,
    "REFUND": TransactionKind.REFUND,
}
_TAKEN_BACK: Final = {
    # Event -> whether the money may still come back.
    "CHARGEBACK": True,
    "SECOND_CHARGEBACK": False,
    "CAPTURE_FAILED": False,
}
_STAGES: Final = {"CHARGEBACK": 1, "CHARGEBACK_REVERSED": 2, "SECOND_CHARGEBACK": 3}
"""In which order a dispute goes through them. The event's own time is not signed: whoever
replays an event could choose it."""
_REFUND_UNDONE: Final = frozenset({"REFUND_FAILED", "REFUNDED_REVERSED"})
_MOST_VALUES: Final = 10_000
_DISPUTE_STATUS: Final = re.compile(r"[A-Za-z]{1,32}")


class AdyenWebhooks:
    """Reads the events of one merchant account; `hmac_key` is hexadecimal.

    Neither the time nor any metadata is signed: a repeated event is known by what it says.
    """

    def __init__(self, *, hmac_key: str, merchant: str) -> None:
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
        if status := _dispute_status(item):
            # One stage of a dispute is told several times, and only its status differs.
            event_id += f":{status}"
        return WebhookEvent(event_id, name, _facts(name, item, went_well=success == "true"))


def _facts(name: str, item: Mapping[str, object], *, went_well: bool) -> tuple[ProviderFact, ...]:
    reference, amount = reference_in(item), money_in(item.get("amount"))
    ours = mark(item.get("merchantReference"))
    parent = str(item.get("originalReference", "")) or None
    if name == "AUTHORISATION":
        kind = (ours.begins if ours else None) or TransactionKind.CHARGE
        outcome = _outcome(kind, reference, amount, ours, went_well=went_well)
        return (_fact(kind, outcome, reference, ours),)
    if name in _LATER:
        if ours is not None and ours.begins is not None:
            # An automatic capture has the charge's own reference, and is no news.
            return ()
        kind = _LATER[name]
        outcome = _outcome(kind, reference, amount, ours, went_well=went_well)
        return (_fact(kind, outcome, reference, ours, parent),)
    if name in _REFUND_UNDONE and went_well:
        undone = Reversed(reference, amount, name.lower())
        ours = ours if ours and ours.begins is None else None
        return (_fact(TransactionKind.REFUND, undone, reference, ours, parent),)
    if name in _TAKEN_BACK and went_well:
        lost = Reversed(reference, amount, name.lower(), open=_TAKEN_BACK[name])
        return (_of_dispute(name, lost, parent),)
    if name == "CHARGEBACK_REVERSED" and _dispute_status(item) == "Won":
        # Until it is won, what came back is only lent: a second chargeback may follow.
        return (_of_dispute(name, Restored(reference, amount, name.lower()), parent),)
    return ()


def _of_dispute(name: str, outcome: Reversed | Restored, parent: str | None) -> ProviderFact:
    return ProviderFact(
        TransactionKind.REVERSAL,
        outcome,
        outcome.reference,
        parent_reference=parent,
        sequence=_STAGES.get(name),
    )


def _dispute_status(item: Mapping[str, object]) -> str | None:
    more = item.get("additionalData")
    status = more.get("disputeStatus") if isinstance(more, dict) else None
    is_word = isinstance(status, str) and _DISPUTE_STATUS.fullmatch(status)
    return status if is_word else None


def _outcome(
    kind: TransactionKind, reference: str, amount: Money, ours: Mark | None, *, went_well: bool
) -> Outcome:
    transaction_id = ours.transaction_id if ours else ""
    if not went_well:
        return Declined(f"{kind}_refused", reference=reference)
    if kind is TransactionKind.AUTHORIZATION:
        return Authorized(reference, amount, transaction_id)
    return Succeeded(reference, amount, transaction_id)


def _fact(
    kind: TransactionKind,
    outcome: Outcome | Reversed,
    reference: str,
    ours: Mark | None,
    parent: str | None = None,
) -> ProviderFact:
    return ProviderFact(
        kind,
        outcome,
        reference,
        transaction_id=ours.transaction_id if ours else None,
        installation=ours.installation if ours else None,
        parent_reference=parent,
    )


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
