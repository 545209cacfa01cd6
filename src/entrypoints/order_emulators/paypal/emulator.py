"""The pretended PayPal: who calls, with which key, and what becomes of it."""

import base64
import json
import re
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
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
from order_emulators.paypal.books import Books, Payment, PayPalOrder, amount, new_id
from order_emulators.paypal.event_list import BadQuery, EventList
from order_emulators.paypal.issues import Refused, error, plain_error, wrong_query
from order_emulators.paypal.signing import CERTIFICATE_PATH, WebhookSigner
from order_emulators.paypal.vault import REFUNDS_PEND, VAULT, VaultedMethod
from order_emulators.paypal.views import buyers_page, order_view, payment_view

_LONGEST_KEY: Final = 108
_TOKEN_SECONDS: Final = 32_400
_ORDERS_LIFE: Final = timedelta(hours=6)
_PAYMENTS_LIFE: Final = timedelta(days=45)
_MOST_EVENTS: Final = 10_000
_MARK_PATH: Final = re.compile(r"/purchase_units/@reference_id=='([^']+)'/custom_id")

_EVENT_OF: Final = MappingProxyType(
    {
        ("captures", "COMPLETED"): "PAYMENT.CAPTURE.COMPLETED",
        ("captures", "PENDING"): "PAYMENT.CAPTURE.PENDING",
        ("captures", "DECLINED"): "PAYMENT.CAPTURE.DENIED",
        ("authorizations", "CREATED"): "PAYMENT.AUTHORIZATION.CREATED",
        ("authorizations", "VOIDED"): "PAYMENT.AUTHORIZATION.VOIDED",
        ("refunds", "COMPLETED"): "PAYMENT.CAPTURE.REFUNDED",
        ("refunds", "PENDING"): "PAYMENT.REFUND.PENDING",
        ("refunds", "FAILED"): "PAYMENT.REFUND.FAILED",
    }
)
_LEDGER_KINDS: Final = {"authorizations": "authorization", "refunds": "refund"}
_WITHOUT_MINOR_UNIT: Final = frozenset({"JPY"})


class PayPalEmulator:
    """One account. See the package for its secrets."""

    def __init__(self, provision: Provision) -> None:
        self._provision = provision
        given = provision.secrets
        self._credentials = (
            f"{given.get('client_id', 'emulated-client')}:"
            f"{given.get('client_secret', 'emulated-secret')}"
        )
        self._webhook_id = given.get("webhook_id", "EMULATED-WEBHOOK")
        self._tokens: deque[str] = deque(maxlen=100)
        self.books = Books(provision.clock)
        self._order_keys = KeyMemory(_ORDERS_LIFE, provision.clock)
        self._payment_keys = KeyMemory(_PAYMENTS_LIFE, provision.clock)
        self._events: deque[Event] = deque(maxlen=_MOST_EVENTS)
        self._event_list = EventList(provision.clock)
        self._origin = "http://127.0.0.1"

    @cached_property
    def signer(self) -> WebhookSigner:
        """Made when the first event is signed: its keys take a quarter of a second."""
        return WebhookSigner(now=self._provision.clock())

    # Calls --------------------------------------------------------------------------------

    async def answer(self, call: Call, /) -> Answer:
        if call.headers.get("host"):
            self._origin = f"http://{call.headers['host']}"
        match call.on:
            case "POST /v1/oauth2/token":
                return self._token(call)
            case on if on == f"GET {CERTIFICATE_PATH}":
                return Answer(200, self.signer.certificate_pem, {"content-type": "text/plain"})
            case "GET /_emulator/ca.pem":
                return Answer(200, self.signer.root_pem, {"content-type": "text/plain"})
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return plain_error(401, new_id())
        try:
            return await self._served(call)
        except Refused as refused:
            return error(refused, new_id())

    def _token(self, call: Call) -> Answer:
        expected = base64.b64encode(self._credentials.encode()).decode()
        if call.headers.get("authorization") != f"Basic {expected}":
            body = {
                "error": "invalid_client",
                "error_description": "Client Authentication failed",
            }
            return Answer.of_json(401, body)
        if call.body != b"grant_type=client_credentials":
            return Answer.of_json(400, {"error": "unsupported_grant_type"})
        token = f"A21AA{secrets.token_urlsafe(32)}"
        self._tokens.append(token)
        return Answer.of_json(
            200, {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_SECONDS}
        )

    def withdraw_tokens(self) -> None:
        """Every token given so far is refused from now on."""
        self._tokens.clear()

    async def _served(self, call: Call) -> Answer:
        match (call.method, call.path.split("/")[1:]):
            case "GET", ["v2", "checkout", "orders", order_id]:
                return self._show_order(self.books.order(order_id))
            case "PATCH", ["v2", "checkout", "orders", order_id]:
                return self._patch(self.books.order(order_id), _json(call))
            case "GET", [
                "v2",
                "payments",
                ("captures" | "authorizations" | "refunds") as kind,
                id_,
            ]:
                return self._show(*self.books.payment(kind, id_))
            case "GET", ["v1", "notifications", "webhooks-events", *slash] if not any(slash):
                return self._list_events(call)
            case "POST", ["v2", "payments", "authorizations", id_, "void"]:
                return self._void(id_, call)
            case "POST", ["v2", "checkout", "orders"]:
                return await self._once(call, self._order_keys, self._create)
            case "POST", ["v2", "checkout", "orders", order_id, "capture" | "authorize"]:
                self.books.order(order_id)
                return await self._once(call, self._order_keys, self._complete)
            case "POST", ["v2", "payments", "authorizations", _, "capture"]:
                return await self._once(call, self._payment_keys, self._capture)
            case "POST", ["v2", "payments", "captures", _, "refund"]:
                return await self._once(call, self._payment_keys, self._refund)
        return plain_error(404, new_id())

    async def _once(self, call: Call, memory: KeyMemory, work: Callable[[Call], Answer]) -> Answer:
        """What the key stands for: PayPal shows how it stands by now, and forgets refusals."""
        key = call.headers.get("paypal-request-id")
        if key is None:
            return await self._worked(call, work)
        if not 0 < len(key) <= _LONGEST_KEY:
            raise Refused("INVALID_PARAMETER_VALUE", 400)
        # PayPal does not compare bodies: the first request is the one that counts.
        known = memory.look((call.path, key), "any")
        if known is KeyStanding.RUNNING:
            raise Refused("PREVIOUS_REQUEST_IN_PROGRESS", 409)
        if isinstance(known, Answer):
            return self._as_it_stands(known)
        memory.begin((call.path, key), "any")
        try:
            answer = await self._worked(call, work)
        except Refused:
            memory.forget((call.path, key))
            raise
        memory.keep((call.path, key), answer)
        return plain_error(500, new_id()) if call.fails_after else answer

    async def _worked(self, call: Call, work: Callable[[Call], Answer]) -> Answer:
        if call.work_seconds:
            await self._provision.sleep(call.work_seconds)
        return work(call)

    def _as_it_stands(self, first: Answer) -> Answer:
        reference = json.loads(first.body)["id"]
        if reference in self.books.orders:
            return self._show_order(self.books.orders[reference])
        for order in self.books.orders.values():
            for payment in order.payments:
                if payment.id == reference:
                    return self._show(order, payment, 201)
        return first

    # What is done -------------------------------------------------------------------------

    def _create(self, call: Call) -> Answer:
        wanted = _object(call)
        units = wanted.get("purchase_units")
        if wanted.get("intent") not in {"CAPTURE", "AUTHORIZE"} or not isinstance(units, list):
            raise Refused("INVALID_PARAMETER_VALUE", 400)
        if len(units) != 1 or not isinstance(units[0], dict):
            raise Refused("INVALID_PARAMETER_VALUE", 400)
        (unit,) = units
        value, currency = amount(unit.get("amount")) or (None, "")
        if not value:
            raise Refused("INVALID_PARAMETER_VALUE", 400)
        order = self.books.open(
            intent=wanted["intent"],
            value=value,
            currency=currency,
            custom_id=str(unit.get("custom_id") or ""),
            invoice_id=str(unit.get("invoice_id") or ""),
            reference_id=str(unit.get("reference_id") or "default"),
            description=str(unit.get("description") or ""),
        )
        return self._show_order(order, 201)

    def _patch(self, order: PayPalOrder, patches: object) -> Answer:
        if order.status == "COMPLETED":
            raise Refused("ORDER_ALREADY_COMPLETED")
        if order.status not in {"CREATED", "APPROVED"}:
            raise Refused("NOT_PATCHABLE")
        wanted: dict[str, str] = {}
        for patch in patches if isinstance(patches, list) else []:
            path, value = str(patch.get("path")), str(patch.get("value"))
            mark = _MARK_PATH.fullmatch(path)
            if mark and mark[1] == order.reference_id:
                wanted["custom_id"] = value
            elif path == "/intent" and value in {"CAPTURE", "AUTHORIZE"}:
                wanted["intent"] = value
            else:
                raise Refused("NOT_PATCHABLE")
        for name, value in wanted.items():
            setattr(order, name, value)
        return Answer(204)

    def _complete(self, call: Call) -> Answer:
        *_, order_id, verb = call.path.split("/")
        order = self.books.order(order_id)
        method = self._method(order, _object(call) if call.body else {})
        if method and method.asks_buyer and order.status == "CREATED":
            if order.source == "card":
                order.status = "PAYER_ACTION_REQUIRED"
                return self._show_order(order)
            page = {
                "href": buyers_page(order, self._origin),
                "rel": "payer-action",
                "method": "GET",
            }
            raise Refused("PAYER_ACTION_REQUIRED", links=[page])
        intent = "CAPTURE" if verb == "capture" else "AUTHORIZE"
        self._tell(order, self.books.complete(order, intent, method))
        return self._show_order(order, 201)

    def _method(self, order: PayPalOrder, wanted: dict[str, Any]) -> VaultedMethod | None:
        source = wanted.get("payment_source")
        if source is None:
            return None
        if not isinstance(source, dict) or len(source) != 1:
            raise Refused("INVALID_PARAMETER_VALUE", 400)
        ((order.source, given),) = source.items()
        vault_id = str(given.get("vault_id")) if isinstance(given, dict) else ""
        method = VAULT.get(vault_id.partition("-")[0])
        if order.source not in {"paypal", "card"} or method is None:
            raise Refused("TOKEN_ID_NOT_FOUND")
        return method

    def _capture(self, call: Call) -> Answer:
        authorization_id = call.path.split("/")[-2]
        capture = self.books.capture(authorization_id, _object(call))
        order, _ = self.books.payment("captures", capture.id)
        self._tell(order, capture)
        return self._show(order, capture, 201)

    def _void(self, authorization_id: str, call: Call) -> Answer:
        if call.body:
            raise Refused("INVALID_PARAMETER_VALUE", 400)
        voided = self.books.void(authorization_id)
        order, _ = self.books.payment("authorizations", voided.id)
        self._tell(order, voided)
        if call.fails_after:
            return plain_error(500, new_id())
        if "representation" in call.headers.get("prefer", ""):
            return self._show(order, voided)
        return Answer(204)

    def _refund(self, call: Call) -> Answer:
        capture_id = call.path.split("/")[-2]
        order, _ = self.books.payment("captures", capture_id)
        status = "PENDING" if REFUNDS_PEND in order.description else "COMPLETED"
        refund = self.books.refund(capture_id, _object(call), status)
        self._tell(order, refund)
        return self._show(order, refund, 201)

    def _list_events(self, call: Call) -> Answer:
        try:
            return Answer.of_json(200, self._event_list.page(call.query, self._origin))
        except BadQuery as bad:
            return wrong_query(bad.field, new_id())

    def _show_order(self, order: PayPalOrder, status: int = 200) -> Answer:
        return Answer.of_json(status, order_view(order, self._origin))

    def _show(self, order: PayPalOrder, payment: Payment, status: int = 200) -> Answer:
        return Answer.of_json(status, payment_view(order, payment, self._origin))

    # The chassis's questions --------------------------------------------------------------

    def server_error(self, _: Call, /) -> Answer:
        return plain_error(500, new_id())

    def rate_limited(self, _: Call, /) -> Answer:
        limited = plain_error(429, new_id())
        return Answer(429, limited.body, {**limited.headers, "retry-after": "1"})

    def ledger(self) -> Sequence[LedgerEntry]:
        return [
            _entry(order, payment)
            for order in self.books.orders.values()
            for payment in order.payments
        ]

    def act(self, reference: str, decision: Decision, /) -> bool:
        approved = decision is Decision.APPROVE
        order = self.books.orders.get(reference)
        if order is not None:
            return self._decide_order(order, approved=approved)
        for order in self.books.orders.values():
            for payment in order.payments:
                if payment.id == reference and payment.status == "PENDING":
                    bad = "DECLINED" if payment.kind == "captures" else "FAILED"
                    good = "CREATED" if payment.kind == "authorizations" else "COMPLETED"
                    payment.status = good if approved else bad
                    self._tell(order, payment)
                    return True
        return False

    def _decide_order(self, order: PayPalOrder, *, approved: bool) -> bool:
        if order.status not in {"CREATED", "PAYER_ACTION_REQUIRED"}:
            return False
        # A buyer who goes away leaves no trace: the order waits until it expires.
        if approved:
            order.status = "APPROVED"
            self._event(
                "CHECKOUT.ORDER.APPROVED", "checkout-order", order_view(order, self._origin)
            )
        return True

    def take_events(self) -> Sequence[Event]:
        taken = list(self._events)
        self._events.clear()
        return taken

    def signed(self, event: Event, /, *, url: str, at: datetime, forged: bool) -> SignedEvent:  # noqa: ARG002 - the address is not signed
        headers = self.signer.headers(
            event.payload,
            event_id=event.id,
            at=at,
            webhook_id="SOMEBODY-ELSE" if forged else self._webhook_id,
            cert_url=f"{self._origin}{CERTIFICATE_PATH}",
        )
        return SignedEvent(event.payload, {"content-type": "application/json", **headers})

    def _tell(self, order: PayPalOrder, payment: Payment) -> None:
        name = _EVENT_OF.get((payment.kind, payment.status))
        if name:
            kind = payment.kind.removesuffix("s")
            self._event(name, kind, payment_view(order, payment, self._origin))

    def _event(self, name: str, kind: str, resource: dict[str, Any]) -> None:
        event_id = f"WH-{new_id()}-{new_id()}"
        at = self._provision.clock().replace(microsecond=0)
        payload = {
            "id": event_id,
            "create_time": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "resource_type": kind,
            "event_type": name,
            "event_version": "1.0",
            "resource_version": "2.0",
            "summary": name.replace(".", " ").lower(),
            "resource": resource,
            "links": [],
        }
        self._event_list.add(payload, at)
        self._events.append(Event(event_id, name, json.dumps(payload).encode()))


def _entry(order: PayPalOrder, payment: Payment) -> LedgerEntry:
    kind = _LEDGER_KINDS.get(payment.kind) or ("capture" if payment.parent_id else "charge")
    mark = payment.invoice_id if kind == "capture" else payment.custom_id.partition(",")[0]
    scale = 1 if payment.currency in _WITHOUT_MINOR_UNIT else 100
    return LedgerEntry(
        kind=kind,
        reference=payment.id,
        amount=int(payment.value * scale),
        currency=payment.currency,
        status=payment.status,
        moved=payment.status not in {"PENDING", "DECLINED", "DENIED", "FAILED", "VOIDED"},
        transaction_id=mark or payment.invoice_id or None,
        parent_reference=payment.parent_id or order.id,
    )


def _json(call: Call) -> object:
    try:
        return json.loads(call.body)
    except (ValueError, RecursionError):
        raise Refused("MALFORMED_REQUEST_JSON", 400) from None


def _object(call: Call) -> dict[str, Any]:
    value = _json(call)
    if not isinstance(value, dict):
        raise Refused("MALFORMED_REQUEST_JSON", 400)
    return value
