"""Stripe's API, as far as payments need it."""

import hmac
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

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
from order_emulators.stripe import disputes, events, intents, refunds
from order_emulators.stripe.books import Books, Json
from order_emulators.stripe.form import Form, expansions, nested, only, read_form
from order_emulators.stripe.ledger import entries
from order_emulators.stripe.lists import a_page
from order_emulators.stripe.refusals import (
    Refusal,
    answered,
    invalid,
    missing,
    rate_limited,
    server_error,
)

_KEY_LIFE: Final = timedelta(hours=24)
_LONGEST_KEY: Final = 255
_ROUTE: Final = re.compile(r"/v1/([a-z_]+)(?:/([A-Za-z0-9_]+))?(?:/([a-z_]+))?", re.ASCII)

_Posts = dict[tuple[str, bool, str], Callable[[Books, str, Form], Json]]

_POSTS: Final[_Posts] = {
    # (collection, has an id, action)
    ("payment_intents", False, ""): lambda books, _, form: intents.create(books, form),
    ("payment_intents", True, "confirm"): lambda books, reference, form: intents.confirm(
        books, books.intent(reference), form
    ),
    ("payment_intents", True, "capture"): lambda books, reference, form: intents.capture(
        books, books.intent(reference), form
    ),
    ("payment_intents", True, "cancel"): lambda books, reference, form: intents.cancel(
        books, books.intent(reference), form
    ),
    ("refunds", False, ""): lambda books, _, form: refunds.create(books, form),
}
_LISTS: Final = {
    "payment_intents": ("customer",),
    "charges": ("customer", "payment_intent"),
    "refunds": ("charge", "payment_intent"),
    "disputes": ("charge", "payment_intent"),
}


class StripeEmulator:
    """Remembers keys for 24 hours, with every answer that came of carrying a request out."""

    def __init__(self, provision: Provision) -> None:
        self._sleep = provision.sleep
        self._api_key = provision.secrets.get("api_key", "sk_test_emulator")
        self._webhook_secret = provision.secrets.get("webhook_secret", "whsec_emulator")
        self._keys = KeyMemory(_KEY_LIFE, provision.clock)
        self._books = Books(provision.clock)

    async def answer(self, call: Call, /) -> Answer:
        try:
            self._authenticate(call)
            if call.method == "GET":
                shown = answered(200, self._read(call))
                return server_error() if call.fails_after else shown
            if call.method != "POST":
                raise _unknown(call)
            return await self._post(call)
        except Refusal as refusal:
            return refusal.answer

    def server_error(self, _: Call, /) -> Answer:
        return server_error()

    def rate_limited(self, _: Call, /) -> Answer:
        return rate_limited()

    def ledger(self) -> Sequence[LedgerEntry]:
        self._let_holds_expire()
        return entries(self._books)

    def act(self, reference: str, decision: Decision, /) -> bool:
        """A buyer decides about a `pi_`, a bank about a refund `re_` or a dispute `dp_`."""
        self._let_holds_expire()
        books, yes = self._books, decision is Decision.APPROVE
        intent = books.intents.get(reference)
        if intent is not None:
            return _buyer_decides(books, intent, approves=yes)
        if reference in books.refunds:
            return refunds.finish(books, books.refunds[reference], arrives=yes)
        if reference in books.disputes:
            disputes.decide(books, books.disputes[reference], for_the_shop=yes)
            return True
        return False

    def take_events(self) -> Sequence[Event]:
        return self._books.take_events()

    def signed(self, event: Event, /, *, url: str, at: datetime, forged: bool) -> SignedEvent:  # noqa: ARG002 - Stripe does not sign the address
        secret = "whsec_forged" if forged else self._webhook_secret
        moment = int(at.timestamp())
        content = f"{moment}.".encode() + event.payload
        signature = hmac.new(secret.encode(), content, sha256).hexdigest()
        headers = {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": f"t={moment},v1={signature}",
        }
        return SignedEvent(event.payload, headers)

    def _authenticate(self, call: Call) -> None:
        if call.headers.get("authorization") != f"Bearer {self._api_key}":
            error = {"type": "invalid_request_error", "message": "Invalid API Key provided."}
            raise Refusal(401, error, kept=False)

    async def _post(self, call: Call) -> Answer:
        key = call.headers.get("idempotency-key")
        if key is None:
            answer = await self._carry_out(call)
            return server_error() if call.fails_after else answer
        if len(key) > _LONGEST_KEY:
            raise invalid("Keys for idempotent requests can only be up to 255 characters long.")
        request = (call.path, call.body)
        match self._keys.look(key, request):
            case Answer() as known:
                return Answer(
                    known.status, known.body, {**known.headers, "idempotent-replayed": "true"}
                )
            case KeyStanding.RUNNING:
                raise _key_in_use()
            case KeyStanding.OTHER_REQUEST:
                raise _key_reused()
        self._keys.begin(key, request)
        try:
            answer = await self._carry_out(call)
        except Refusal as refusal:
            if not refusal.kept:
                self._keys.forget(key)
                raise
            answer = refusal.answer
        except BaseException:
            self._keys.forget(key)
            raise
        if call.fails_after:
            # Remembered like any other answer: a repeat hears of the error again.
            answer = server_error()
        self._keys.keep(key, answer)
        return answer

    async def _carry_out(self, call: Call) -> Answer:
        collection, reference, action = _parts(call)
        do = _POSTS.get((collection, bool(reference), action))
        if do is None:
            raise _unknown(call)
        form = read_form(call.body)
        if call.work_seconds:
            await self._sleep(call.work_seconds)
        self._let_holds_expire()
        shown = do(self._books, reference, form)
        return answered(200, self._expanded(shown, expansions(form)))

    def _read(self, call: Call) -> Json:
        collection, reference, action = _parts(call)
        self._let_holds_expire()
        query = nested(call.query)
        if collection == "events" and not action:
            if reference:
                return events.one(self._books, reference, query)
            return events.some(self._books, query)
        objects = {
            "payment_intents": self._books.intents,
            "charges": self._books.charges,
            "refunds": self._books.refunds,
            "disputes": self._books.disputes,
        }.get(collection)
        if objects is None or action:
            raise _unknown(call)
        if reference:
            only(query, ("expand", "client_secret"))
            if reference not in objects:
                raise missing(collection.removesuffix("s"), reference, "id")
            return self._expanded(objects[reference], expansions(query))
        page = a_page(f"/v1/{collection}", objects.values(), query, _LISTS[collection])
        wanted = {name.removeprefix("data.") for name in expansions(query)}
        page["data"] = [self._expanded(row, wanted) for row in page["data"]]
        return page

    def _expanded(self, shown: Json, wanted: set[str]) -> Json:
        charge = self._books.charges.get(shown.get("latest_charge") or "")
        return {**shown, "latest_charge": charge} if charge and "latest_charge" in wanted else shown

    def _let_holds_expire(self) -> None:
        for intent in self._books.intents.values():
            intents.expire(self._books, intent)


def _buyer_decides(books: Books, intent: Json, *, approves: bool) -> bool:
    # After a failed try the buyer still has the client secret, and may try again.
    again = intent["status"] == "requires_payment_method" and intent["last_payment_error"]
    if intent["status"] != "requires_action" and not again:
        return False
    decide = intents.buyer_approves if approves else intents.buyer_refuses
    decide(books, intent)
    return True


def _parts(call: Call) -> tuple[str, str, str]:
    found = _ROUTE.fullmatch(call.path)
    if found is None:
        raise _unknown(call)
    return found[1], found[2] or "", found[3] or ""


def _unknown(call: Call) -> Refusal:
    message = f"Unrecognized request URL ({call.method}: {call.path})."
    return Refusal(404, {"type": "invalid_request_error", "message": message}, kept=False)


def _key_in_use() -> Refusal:
    message = "There is currently another in-progress request using this Idempotent Key."
    error = {
        "type": "invalid_request_error",
        "code": "idempotency_key_in_use",
        "message": message,
    }
    return Refusal(409, error, kept=False, leaves_no_trace=True)


def _key_reused() -> Refusal:
    message = "Keys for idempotent requests can only be used with the same parameters."
    error = {"type": "idempotency_error", "message": message}
    return Refusal(400, error, kept=False, leaves_no_trace=True)
