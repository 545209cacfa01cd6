"""The pretended Square over HTTP: who may ask, which key came before, which request does what."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
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
from order_emulators.square.books import Books
from order_emulators.square.fields import Fields, read_body
from order_emulators.square.payment import Payment
from order_emulators.square.refusal import (
    KEY_REUSED,
    KEY_RUNNING,
    RATE_LIMITED,
    SERVER_ERROR,
    UNAUTHORIZED,
    Refusal,
    not_found,
    unusable,
)

DEFAULT_SECRETS: Final[Mapping[str, str]] = {
    "access_token": "square-emulator-token",
    "location_id": "LEMULATED",
    "currency": "USD",
    "signature_key": "square-emulator-signature-key",
}
"""What the emulator takes unless told otherwise; `currency` is the location's own."""

_KEY_LIFE: Final = timedelta(hours=24)
_PAYMENT_FIELDS: Final = frozenset(
    {
        "source_id",
        "idempotency_key",
        "amount_money",
        "autocomplete",
        "customer_id",
        "delay_action",
        "delay_duration",
        "location_id",
        "note",
        "reference_id",
        "verification_token",
    }
)
_LONGEST_PAGE: Final = 100

Work = Callable[[Fields], dict[str, Any]]


class SquareEmulator:
    """One seller with one location.

    A key belongs to its endpoint, and gives back its first answer, refusals and server errors
    included, for as long as the request is the same.
    """

    def __init__(self, provision: Provision) -> None:
        self._secrets = {**DEFAULT_SECRETS, **provision.secrets}
        self._clock = provision.clock
        self._sleep = provision.sleep
        self._books = Books(provision.clock, provision.run)
        self._keys = KeyMemory(_KEY_LIFE, provision.clock)

    async def answer(self, call: Call, /) -> Answer:
        if call.headers.get("authorization") != f"Bearer {self._secrets['access_token']}":
            return UNAUTHORIZED.answer()
        self._books.pass_time()
        try:
            return await self._route(call)
        except Refusal as refusal:
            return refusal.answer()

    def server_error(self, _: Call, /) -> Answer:
        return SERVER_ERROR.answer()

    def rate_limited(self, _: Call, /) -> Answer:
        return RATE_LIMITED.answer()

    def ledger(self) -> Sequence[LedgerEntry]:
        self._books.pass_time()
        return self._books.ledger()

    def act(self, reference: str, decision: Decision, /) -> bool:
        self._books.pass_time()
        return self._books.act(reference, decision)

    def take_events(self) -> Sequence[Event]:
        return self._books.take_events()

    def signed(self, event: Event, /, *, url: str, at: datetime, forged: bool) -> SignedEvent:  # noqa: ARG002 - Square's signature has no time
        key = "nobody knows it" if forged else self._secrets["signature_key"]
        digest = hmac.digest(key.encode(), url.encode() + event.payload, hashlib.sha256)
        return SignedEvent(
            event.payload,
            {
                "content-type": "application/json",
                "x-square-hmacsha256-signature": base64.b64encode(digest).decode(),
            },
        )

    # Which request does what --------------------------------------------------------------

    async def _route(self, call: Call) -> Answer:
        match call.path.removeprefix("/v2/").split("/"):
            case ["payments"]:
                return await self._payments(call)
            case ["payments", "cancel"] if call.method == "POST":
                return await self._plain(call, self._cancel_by_key)
            case ["payments", reference, *verb]:
                return await self._one_payment(call, reference, verb)
            case ["refunds"]:
                return await self._refunds(call)
            case ["refunds", reference] if call.method == "GET":
                if reference not in self._books.refunds:
                    raise not_found()
                return Answer.of_json(200, {"refund": self._books.refunds[reference].shown()})
            case ["events"] if call.method == "POST":
                return await self._plain(call, self._search_events)
            case ["events", "enable" | "disable" as verb] if call.method == "PUT":
                return await self._plain(call, lambda body: self._keep_events(verb, body))
        raise not_found()

    async def _payments(self, call: Call) -> Answer:
        match call.method:
            case "POST":
                return await self._with_key(call, self._create)
            case "GET":
                shown = [payment.shown() for payment in self._books.payments.values()]
                return _page("payments", shown, call)
        raise not_found()

    async def _one_payment(self, call: Call, reference: str, verb: list[str]) -> Answer:
        match call.method, verb:
            case "GET", []:
                return Answer.of_json(200, {"payment": self._payment(reference).shown()})
            case "PUT", []:
                return await self._with_key(call, lambda body: self._update(reference, body))
            case "POST", ["complete"]:
                return await self._plain(call, lambda body: self._complete(reference, body))
            case "POST", ["cancel"]:
                return await self._plain(call, lambda body: self._cancel(reference, body))
        raise not_found()

    async def _refunds(self, call: Call) -> Answer:
        match call.method:
            case "POST":
                return await self._with_key(call, self._refund)
            case "GET":
                shown = [refund.shown() for refund in self._books.refunds.values()]
                return _page("refunds", shown, call)
        raise not_found()

    async def _plain(self, call: Call, work: Work) -> Answer:
        """A request without a key: done as often as it comes."""
        await self._take_time(call)
        shown = work(read_body(call.body))
        return SERVER_ERROR.answer() if call.fails_after else Answer.of_json(200, shown)

    async def _with_key(self, call: Call, work: Work) -> Answer:
        body = read_body(call.body)
        endpoint = re.sub(r"/v2/payments/.+", "/v2/payments/{id}", call.path)
        key = (endpoint, body.text("idempotency_key", 45))
        request = (call.path, repr(sorted(body.values.items())))
        match self._keys.look(key, request):
            case Answer() as first:
                return first
            case KeyStanding.RUNNING:
                return replace(KEY_RUNNING.answer(), leaves_no_trace=True)
            case KeyStanding.OTHER_REQUEST:
                return replace(KEY_REUSED.answer(), leaves_no_trace=True)
        self._keys.begin(key, request)
        await self._take_time(call)
        try:
            answer = Answer.of_json(200, work(body))
        except Refusal as refusal:
            answer = refusal.answer()
        if call.fails_after:
            answer = SERVER_ERROR.answer()
        self._keys.keep(key, answer)
        return answer

    async def _take_time(self, call: Call) -> None:
        if call.work_seconds:
            await self._sleep(call.work_seconds)
        # Whoever looked meanwhile let time pass. A journal holds no looks: carried out again, what
        # ended meanwhile would end after this request, and all that it enters have other ids.
        self._books.pass_time()

    # What it does -------------------------------------------------------------------------

    def _create(self, body: Fields) -> dict[str, Any]:
        body.only(_PAYMENT_FIELDS)
        if body.text("location_id", 50) != self._secrets["location_id"]:
            raise unusable("NOT_FOUND", "location_id")
        delay_action = body.optional_text("delay_action", 8) or "CANCEL"
        if delay_action not in {"CANCEL", "COMPLETE"}:
            raise unusable("INVALID_ENUM_VALUE", "delay_action")
        now = self._clock()
        payment = Payment(
            id=self._books.new_id("P"),
            key=body.text("idempotency_key", 45),
            created_at=now,
            updated_at=now,
            amount=body.amount("amount_money", self._secrets["currency"]),
            currency=self._secrets["currency"],
            status="PENDING",
            source_type="CARD",
            location_id=self._secrets["location_id"],
            autocomplete=body.flag("autocomplete", default=True),
            reference_id=body.optional_text("reference_id", 40),
            note=body.optional_text("note", 500),
            customer_id=body.optional_text("customer_id", 191),
            delay_action=delay_action,
        )
        return {"payment": self._books.pay(payment, body.text("source_id", 500)).shown()}

    def _update(self, reference: str, body: Fields) -> dict[str, Any]:
        wanted = body.only({"idempotency_key", "payment"}).inside("payment")
        wanted.only({"amount_money", "version_token"})
        payment = self._payment(reference)
        amount = wanted.amount("amount_money", payment.currency)
        self._books.lower(payment, amount, wanted.optional_text("version_token", 192))
        return {"payment": payment.shown()}

    def _complete(self, reference: str, body: Fields) -> dict[str, Any]:
        payment = self._payment(reference)
        version = body.only({"version_token"}).optional_text("version_token", 192)
        self._books.complete(payment, version)
        return {"payment": payment.shown()}

    def _cancel(self, reference: str, body: Fields) -> dict[str, Any]:
        body.only(())
        payment = self._payment(reference)
        self._books.cancel(payment)
        return {"payment": payment.shown()}

    def _cancel_by_key(self, body: Fields) -> dict[str, Any]:
        key = body.only({"idempotency_key"}).text("idempotency_key", 45)
        for payment in self._books.payments.values():
            if payment.key == key and payment.status == "APPROVED":
                self._books.cancel(payment)
        return {}

    def _refund(self, body: Fields) -> dict[str, Any]:
        body.only({"idempotency_key", "payment_id", "amount_money", "reason"})
        payment = self._payment(body.text("payment_id", 192))
        amount = body.amount("amount_money", payment.currency)
        refund = self._books.refund(payment, amount, body.optional_text("reason", 192))
        return {"refund": refund.shown()}

    def _search_events(self, body: Fields) -> dict[str, Any]:
        return self._books.record.search(body, self._clock())

    def _keep_events(self, verb: str, body: Fields) -> dict[str, Any]:
        body.only(())
        self._books.record.is_on = verb == "enable"
        return {}

    def _payment(self, reference: str) -> Payment:
        if reference not in self._books.payments:
            raise not_found()
        return self._books.payments[reference]


def _page(name: str, shown: Iterable[dict[str, Any]], call: Call) -> Answer:
    """One page of a list. Cursors are the place to go on from."""
    query = dict(call.query)
    found = [one for one in shown if _fits(one, query)]
    if query.get("sort_order", "DESC") == "DESC":
        found.reverse()
    limit = min(_number(query, "limit", _LONGEST_PAGE), _LONGEST_PAGE) or _LONGEST_PAGE
    start = _number(query, "cursor", 0)
    body: dict[str, Any] = {}
    if found[start:]:
        body[name] = found[start : start + limit]
    if found[start + limit :]:
        body["cursor"] = str(start + limit)
    return Answer.of_json(200, body)


def _fits(shown: dict[str, Any], query: Mapping[str, str]) -> bool:
    created = datetime.fromisoformat(shown["created_at"])
    try:
        begin = datetime.fromisoformat(query.get("begin_time", shown["created_at"]))
        end = datetime.fromisoformat(query.get("end_time", shown["created_at"]))
        in_time = begin <= created <= end
    except (ValueError, TypeError):
        raise Refusal(400, "INVALID_TIME") from None
    return in_time and query.get("location_id", shown["location_id"]) == shown["location_id"]


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text):
        raise unusable("INVALID_VALUE", name)
    return int(text)
