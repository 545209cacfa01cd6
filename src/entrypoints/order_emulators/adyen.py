"""A pretended Adyen: payments answered at once, changes received now and told about later.

Stored payment methods: any id pays, but `DECLINED`, `NOFUNDS`, `EXPIRED`, `PENDS` and `REDIRECTS`
do what they say. A capture, cancellation or refund is always "received"; whether it was possible
stands only in its event.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from order_emulators.chassis import (
    Answer,
    Call,
    Decision,
    Event,
    KeyMemory,
    KeyStanding,
    LedgerEntry,
    Provision,
    SignedEvent,
)

DEFAULT_SECRETS: Final[Mapping[str, str]] = {
    "api_key": "adyen-emulator-key",
    "merchant_account": "EmulatedMerchant",
    "hmac_key": "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
}
_KEY_LIFE: Final = timedelta(days=7)
_REFUSED: Final = {
    "DECLINED": ("2", "Refused"),
    "NOFUNDS": ("12", "Not enough balance"),
    "EXPIRED": ("6", "Expired Card"),
}
_CHANGE: Final = re.compile(r".*/payments/([A-Za-z0-9]+)/(captures|cancels|refunds)")
_EVENTS: Final = {"captures": "CAPTURE", "cancels": "CANCELLATION", "refunds": "REFUND"}
_KINDS: Final = {"captures": "capture", "cancels": "void", "refunds": "refund"}
_SIGNED: Final = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")


@dataclass(slots=True)
class _Payment:
    reference: str
    ours: str
    amount: int
    currency: str
    status: str
    manual: bool
    taken: int = 0
    given_back: int = 0


class _Refused(Exception):
    def __init__(self, status: int, code: str, kind: str) -> None:
        super().__init__(code)
        body = {"status": status, "errorCode": code, "errorType": kind, "message": "Emulated."}
        self.answer = Answer.of_json(status, body)


class AdyenEmulator:
    """One merchant account. A key gives back its first answer, whatever it was."""

    def __init__(self, provision: Provision) -> None:
        self._secrets = {**DEFAULT_SECRETS, **provision.secrets}
        self._clock = provision.clock
        self._sleep = provision.sleep
        self._run = provision.run[:8].upper()
        self._numbers = 0
        self._keys = KeyMemory(_KEY_LIFE, provision.clock)
        self._payments: dict[str, _Payment] = {}
        self._ledger: list[LedgerEntry] = []
        self._events: list[Event] = []

    async def answer(self, call: Call, /) -> Answer:
        if call.headers.get("x-api-key") != self._secrets["api_key"]:
            return _Refused(401, "000", "security").answer
        key = call.headers.get("idempotency-key", "")
        if not key or len(key) > 64:  # noqa: PLR2004 - Adyen's own limit
            return _Refused(422, "705", "validation").answer
        match self._keys.look(key, (call.on, call.body)):
            case Answer() as first:
                return first
            case KeyStanding.RUNNING | KeyStanding.OTHER_REQUEST:
                return _Refused(422, "704", "validation").answer
        self._keys.begin(key, (call.on, call.body))
        if call.work_seconds:
            await self._sleep(call.work_seconds)
        try:
            answer = self._done(call)
        except _Refused as refused:
            answer = refused.answer
        if call.fails_after:
            answer = self.server_error(call)
        self._keys.keep(key, answer)
        return answer

    def server_error(self, _: Call, /) -> Answer:
        return _Refused(500, "905", "internal").answer

    def rate_limited(self, _: Call, /) -> Answer:
        return _Refused(429, "429", "configuration").answer

    def ledger(self) -> Sequence[LedgerEntry]:
        return tuple(self._ledger)

    def take_events(self) -> Sequence[Event]:
        events, self._events = tuple(self._events), []
        return events

    def act(self, reference: str, decision: Decision, /) -> bool:
        payment = self._payments.get(reference)
        if payment is None:
            return False
        if payment.status == "waits":
            self._authorised(payment, went_well=decision is Decision.APPROVE)
            return True
        if payment.taken and decision is Decision.REFUSE:
            number = self._new_reference()
            self._book("dispute", payment, payment.taken, number)
            self._tell("CHARGEBACK", payment, number, payment.ours, payment.taken)
            return True
        return False

    def signed(self, event: Event, /, *, url: str, at: datetime, forged: bool) -> SignedEvent:  # noqa: ARG002 - neither is signed
        item = json.loads(event.payload)
        values = [item.get(name, "") for name in _SIGNED]
        values += [item["amount"]["value"], item["amount"]["currency"]]
        values += [item["eventCode"], item["success"]]
        key = bytes.fromhex("00" * 32 if forged else self._secrets["hmac_key"])
        digest = hmac.digest(key, ":".join(map(str, values)).encode(), hashlib.sha256)
        item["additionalData"] = {"hmacSignature": base64.b64encode(digest).decode()}
        body = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
        return SignedEvent(json.dumps(body).encode(), {"content-type": "application/json"})

    # What it does -------------------------------------------------------------------------

    def _done(self, call: Call) -> Answer:
        try:
            body = json.loads(call.body)
        except (ValueError, RecursionError):
            raise _Refused(400, "702", "validation") from None
        if not isinstance(body, dict):
            raise _Refused(400, "702", "validation")
        if body.get("merchantAccount") != self._secrets["merchant_account"]:
            raise _Refused(403, "901", "security")
        if len(str(body.get("reference", ""))) > 80:  # noqa: PLR2004 - Adyen's own limit
            raise _Refused(422, "102", "validation")
        if call.method == "POST" and call.path.endswith("/payments"):
            return self._pay(body)
        change = _CHANGE.fullmatch(call.path)
        if call.method != "POST" or change is None:
            raise _Refused(404, "000", "validation")
        return self._change(change[1], change[2], body)

    def _pay(self, body: dict[str, Any]) -> Answer:
        amount, currency = _amount(body)
        method = body.get("paymentMethod", {}).get("storedPaymentMethodId")
        if not isinstance(method, str) or not body.get("shopperReference"):
            raise _Refused(422, "800", "validation")
        number = self._new_reference()
        ours = str(body["reference"])
        shown: dict[str, Any] = {"pspReference": number, "merchantReference": ours}
        if method in _REFUSED:
            code, reason = _REFUSED[method]
            refusal = {"refusalReasonCode": code, "refusalReason": reason}
            return Answer.of_json(200, {**shown, **refusal, "resultCode": "Refused"})
        manual = body.get("additionalData", {}).get("manualCapture") == "true"
        payment = _Payment(number, ours, amount, currency, "waits", manual)
        self._payments[number] = payment
        if method == "PENDS":
            return Answer.of_json(200, {**shown, "resultCode": "Pending"})
        if method == "REDIRECTS":
            url = f"https://checkout-test.adyen.com/redirect/{number}"
            action = {"type": "redirect", "method": "GET", "url": url}
            # Which payment it is, Adyen says in /payments/details alone.
            answer = {"merchantReference": ours, "resultCode": "RedirectShopper", "action": action}
            return Answer.of_json(200, answer)
        self._authorised(payment, went_well=True)
        money = {"value": amount, "currency": currency}
        return Answer.of_json(200, {**shown, "resultCode": "Authorised", "amount": money})

    def _authorised(self, payment: _Payment, *, went_well: bool) -> None:
        payment.status = "held" if went_well else "refused"
        if went_well and not payment.manual:
            payment.status, payment.taken = "taken", payment.amount
        if went_well:
            kind = "authorization" if payment.manual else "charge"
            self._book(kind, payment, payment.amount, payment.reference, payment.ours)
        self._tell(
            "AUTHORISATION",
            payment,
            payment.reference,
            payment.ours,
            payment.amount,
            went_well=went_well,
        )

    def _change(self, reference: str, what: str, body: dict[str, Any]) -> Answer:
        payment = self._payments.get(reference)
        if payment is None:
            raise _Refused(422, "167", "validation")
        number, ours = self._new_reference(), str(body.get("reference", ""))
        amount = payment.amount if what == "cancels" else _amount(body)[0]
        went_well = _apply(payment, what, amount)
        if went_well:
            self._book(_KINDS[what], payment, amount, number, ours)
        self._tell(_EVENTS[what], payment, number, ours, amount, went_well=went_well, later=True)
        received: dict[str, Any] = {
            "merchantAccount": self._secrets["merchant_account"],
            "paymentPspReference": reference,
            "pspReference": number,
            "reference": ours,
            "status": "received",
        }
        if what != "cancels":
            received["amount"] = {"value": amount, "currency": payment.currency}
        return Answer.of_json(201, received)

    def _new_reference(self) -> str:
        self._numbers += 1
        return f"EMU{self._run}{self._numbers:06}"

    def _book(
        self, kind: str, payment: _Payment, amount: int, reference: str, ours: str = ""
    ) -> None:
        begins = reference == payment.reference
        self._ledger.append(
            LedgerEntry(
                kind=kind,
                reference=reference,
                amount=amount,
                currency=payment.currency,
                status=payment.status,
                moved=True,
                transaction_id=re.split("[@~!]", ours)[0] or None,
                parent_reference=None if begins else payment.reference,
            )
        )

    def _tell(
        self,
        name: str,
        payment: _Payment,
        reference: str,
        ours: str,
        amount: int,
        *,
        went_well: bool = True,
        later: bool = False,
    ) -> None:
        item = {
            "eventCode": name,
            "success": "true" if went_well else "false",
            "pspReference": reference,
            "merchantAccountCode": self._secrets["merchant_account"],
            "merchantReference": ours,
            "amount": {"value": amount, "currency": payment.currency},
            "eventDate": self._clock().isoformat(timespec="seconds"),
        }
        if later or name == "CHARGEBACK":
            item["originalReference"] = payment.reference
        self._events.append(Event(f"{name}:{reference}", name, json.dumps(item).encode()))


def _amount(body: dict[str, Any]) -> tuple[int, str]:
    money = body.get("amount")
    if not isinstance(money, dict) or type(money.get("value")) is not int or money["value"] < 1:
        raise _Refused(422, "137", "validation")
    return money["value"], str(money.get("currency"))


def _apply(payment: _Payment, what: str, amount: int) -> bool:
    """Change the books, if that is possible."""
    match what:
        case "captures" if payment.status == "held" and amount <= payment.amount:
            payment.status, payment.taken = "taken", amount
        case "cancels" if payment.status in {"held", "waits"}:
            payment.status = "cancelled"
        case "refunds" if amount <= payment.taken - payment.given_back:
            payment.given_back += amount
        case _:
            return False
    return True
