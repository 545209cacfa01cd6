"""What Stripe tells by itself is believed only when Stripe signed it, and says what it says."""

import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from order_core.errors import WebhookRejected
from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Declined,
    OutcomeUnknown,
    Pending,
    Restored,
    Reversed,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.ports.webhook_parser import ProviderFact, WebhookEvent
from order_memory.contracts import samples
from order_stripe import StripeWebhooks
from tests.integration.stripe_wire import Shop

_SECRET = "whsec_emulator"
_NOON = datetime(2030, 5, 4, 12, tzinfo=UTC)
_BODY = b'{"object": "event", "id": "evt_1", "type": "customer.created", "data": {"object": {}}}'
_CAPTURE = TransactionKind.CAPTURE
_REFUND = TransactionKind.REFUND


def now() -> datetime:
    return _NOON


def signature(body: bytes, secret: str = _SECRET, at: datetime = _NOON) -> str:
    moment = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, sha256).hexdigest()
    return f"t={moment},v1={digest}"


async def parsed(body: bytes, header: str | None) -> WebhookEvent:
    headers = {} if header is None else {"stripe-signature": header}
    return await StripeWebhooks(_SECRET, now=now).parse(body, headers)


# The signature --------------------------------------------------------------------------------


async def test_an_event_of_an_unknown_type_says_nothing() -> None:
    event = await parsed(_BODY, signature(_BODY))

    assert event == WebhookEvent("evt_1", "customer.created", ())


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        "t=,v1=",
        "v1=0000",
        "t=abc,v1=00",
        f"t={int(_NOON.timestamp())}",
        "," * 5000,
        signature(_BODY, "whsec_another"),
        signature(_BODY).replace("v1=", "v0="),
        signature(_BODY + b" "),
        signature(_BODY, at=_NOON - timedelta(seconds=301)),
        signature(_BODY, at=_NOON + timedelta(seconds=301)),
        signature(_BODY, at=_NOON - timedelta(days=9)),
        # A fresh time put before the old one that was signed.
        f"t={int(_NOON.timestamp())},{signature(_BODY, at=_NOON - timedelta(days=9))}",
        f"{signature(_BODY, at=_NOON - timedelta(days=9))},t={int(_NOON.timestamp())}",
        signature(_BODY) + "ä",
    ],
    ids=range(17),
)
async def test_what_stripe_did_not_sign_just_now_is_rejected(header: str | None) -> None:
    with pytest.raises(WebhookRejected):
        await parsed(_BODY, header)


@pytest.mark.parametrize("seconds", [-299, 0, 299])
async def test_a_clock_a_little_off_is_forgiven(seconds: int) -> None:
    at = _NOON + timedelta(seconds=seconds)

    assert (await parsed(_BODY, signature(_BODY, at=at))).id == "evt_1"


async def test_while_the_secret_is_rolled_either_signature_counts() -> None:
    old = signature(_BODY, "whsec_the_old_one")

    event = await parsed(_BODY, f"{old},{signature(_BODY).split(',')[1]}")

    assert event.id == "evt_1"


async def test_one_changed_byte_is_noticed() -> None:
    header = signature(_BODY)

    for place in range(0, len(_BODY), 7):
        changed = bytearray(_BODY)
        changed[place] ^= 1
        with pytest.raises(WebhookRejected):
            await parsed(bytes(changed), header)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"object": "v2.core.event", "id": "evt_1", "type": "v1.billing.meter"}',
        b'{"object": "event", "id": "", "type": "x"}',
        b'{"object": "event", "type": "x"}',
        b'{"object": "event", "id": "evt_1", "type": "payment_intent.succeeded"}',
        b'{"object": "event", "id": "e", "type": "refund.failed", "data": {"object": 1}}',
        b'{"object": "event", "id": "e", "type": "refund.created", "data": {"object": {"id": 1}}}',
        b"[" * 100_000,
    ],
    ids=range(12),
)
async def test_a_signed_body_that_cannot_be_read_is_rejected(body: bytes) -> None:
    with pytest.raises(WebhookRejected) as rejection:
        await parsed(body, signature(body))

    assert _SECRET not in str(rejection.value)


def test_without_a_secret_there_is_no_reader() -> None:
    with pytest.raises(ValueError, match="secret"):
        StripeWebhooks("")


def a_dispute(status: str) -> dict[str, Any]:
    return {
        "id": "dp_1",
        "status": status,
        "amount": 900,
        "currency": "eur",
        "payment_intent": "pi_1",
    }


async def told(name: str, shown: dict[str, Any], **but: Any) -> WebhookEvent:
    """What the reader makes of an event that shows this object."""
    event = {"object": "event", "id": "evt_9", "type": name, "data": {"object": shown}, **but}
    body = json.dumps(event).encode()
    return await parsed(body, signature(body))


# What the events of a life say ----------------------------------------------------------------


class _Inbox:
    """Where the pretended Stripe delivers to."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.events: list[WebhookEvent] = []
        self.rejected = 0
        self.answers: list[int] = []

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        assert url == "https://shop.example/api/webhooks/stripe"
        self.bodies.append(body)
        try:
            self.events.append(await StripeWebhooks(_SECRET, now=now).parse(body, headers))
        except WebhookRejected:
            self.rejected += 1
            return 400
        return self.answers.pop(0) if self.answers else 200

    def facts(self) -> list[tuple[str, ProviderFact]]:
        return [(event.name, fact) for event in self.events for fact in event.facts]


@pytest.fixture
def inbox() -> _Inbox:
    return _Inbox()


async def _no_pause(_: float) -> None:
    pass


@pytest.fixture
async def shop(inbox: _Inbox) -> AsyncIterator[Shop]:
    shop = Shop(
        now=now,
        post=inbox.post,
        webhook_url="https://shop.example/api/webhooks/stripe",
        sleep=_no_pause,
    )
    yield shop
    await steer(shop, action="drain")
    await shop.close()


async def steer(shop: Shop, **wish: Any) -> None:
    assert (await shop.control.post("/_emulator/webhooks", json=wish)).status_code == 200


async def last_fact(shop: Shop, inbox: _Inbox) -> tuple[str, ProviderFact]:
    await steer(shop, action="drain")
    return inbox.facts()[-1]


async def paid(shop: Shop, card: str = "pm_card_visa") -> tuple[PaymentTransaction, Any]:
    charge = replace(shop.a_charge(card), installation="kiel")
    return charge, await shop.gateway.send(charge)


def child(parent: PaymentTransaction, kind: TransactionKind, of: Any, **but: Any) -> Any:
    return samples.a_refund(parent, kind=kind, parent_reference=of.reference, **but)


async def test_a_payment_is_told_with_what_is_ours(shop: Shop, inbox: _Inbox) -> None:
    charge, outcome = await paid(shop)

    name, fact = await last_fact(shop, inbox)

    assert name == "payment_intent.succeeded"
    assert fact == ProviderFact(
        TransactionKind.CHARGE, outcome, outcome.reference, charge.id, "kiel"
    )


async def test_a_failed_try_is_a_reason_to_ask_and_no_decline(shop: Shop, inbox: _Inbox) -> None:
    charge, _ = await paid(shop, "pm_card_visa_chargeDeclined")

    name, fact = await last_fact(shop, inbox)

    assert name == "payment_intent.payment_failed"
    assert fact.outcome == OutcomeUnknown("a_try_failed")
    assert fact.transaction_id == charge.id


async def test_the_buyer_s_way_is_told_step_by_step(shop: Shop, inbox: _Inbox) -> None:
    charge, asked = await paid(shop, "pm_card_authenticationRequired")
    assert (await last_fact(shop, inbox))[1].outcome == asked
    assert isinstance(asked, ActionRequired)
    await shop.act(asked.reference, "refuse")
    assert isinstance((await last_fact(shop, inbox))[1].outcome, OutcomeUnknown)
    await shop.act(asked.reference, "approve")

    _, fact = await last_fact(shop, inbox)

    assert fact.outcome == Succeeded(asked.reference, Money(2500, "EUR"), charge.id)


async def test_a_cancelled_intent_is_dead(shop: Shop, inbox: _Inbox) -> None:
    charge, asked = await paid(shop, "pm_card_authenticationRequired")
    await shop.gateway.send(child(charge, TransactionKind.VOID, asked))

    name, fact = await last_fact(shop, inbox)

    assert name == "payment_intent.canceled"
    assert (fact.kind, fact.transaction_id) == (TransactionKind.CHARGE, charge.id)
    assert fact.outcome == Declined("voided", reference=asked.reference)


async def test_a_hold_and_its_capture_are_told_apart(shop: Shop, inbox: _Inbox) -> None:
    hold = shop.a_hold("pm_card_visa")
    outcome = await shop.gateway.send(hold)
    assert isinstance(outcome, Authorized)
    name, fact = await last_fact(shop, inbox)
    assert (name, fact.kind) == (
        "payment_intent.amount_capturable_updated",
        TransactionKind.AUTHORIZATION,
    )
    assert isinstance(fact.outcome, Authorized)
    assert fact.transaction_id == hold.id
    capture = child(hold, _CAPTURE, outcome, amount=Money(900, "EUR"))
    taken = await shop.gateway.send(capture)

    _, fact = await last_fact(shop, inbox)

    assert fact == ProviderFact(
        _CAPTURE, taken, outcome.reference, capture.id, "default", outcome.reference
    )


async def test_a_refund_that_comes_back_is_a_reversal(shop: Shop, inbox: _Inbox) -> None:
    charge, outcome = await paid(shop, "pm_card_refundFail")
    refund = child(charge, _REFUND, outcome, amount=Money(600, "EUR"))
    given = await shop.gateway.send(refund)
    assert isinstance(given, Succeeded)
    told = (await last_fact(shop, inbox))[1]
    assert replace(told, sequence=None) == ProviderFact(
        _REFUND, given, given.reference, refund.id, "kiel", outcome.reference
    )
    await shop.act(given.reference, "refuse")

    name, fact = await last_fact(shop, inbox)

    assert (name, fact.kind) == ("refund.failed", _REFUND)
    assert fact.outcome == Reversed(given.reference, Money(600, "EUR"), "refund_returned")
    assert (fact.transaction_id, fact.parent_reference) == (refund.id, outcome.reference)


async def test_a_refund_that_had_succeeded_before_it_failed_is_a_reversal() -> None:
    refund = {"id": "re_1", "status": "failed", "amount": 600, "currency": "eur"}
    event = {
        "object": "event",
        "id": "evt_9",
        "type": "refund.updated",
        "data": {"object": refund, "previous_attributes": {"status": "succeeded"}},
    }
    body = json.dumps(event).encode()

    (fact,) = (await parsed(body, signature(body))).facts

    assert fact.outcome == Reversed("re_1", Money(600, "EUR"), "refund_returned")


@pytest.mark.parametrize(
    ("created", "sequence"), [(1_700_000_009, 1_700_000_009), ("now", None), (2**60, None)]
)
async def test_a_dispute_is_told_with_its_place_in_time(
    created: object, sequence: int | None
) -> None:
    dispute = {
        "id": "dp_1",
        "status": "won",
        "amount": 900,
        "currency": "eur",
        "payment_intent": "pi_1",
    }
    event = {
        "object": "event",
        "id": "evt_10",
        "type": "charge.dispute.closed",
        "created": created,
        "data": {"object": dispute},
    }
    body = json.dumps(event).encode()

    (fact,) = (await parsed(body, signature(body))).facts

    assert fact.sequence == sequence


async def test_a_refund_that_never_left_is_declined(shop: Shop, inbox: _Inbox) -> None:
    charge, outcome = await paid(shop, "pm_card_pendingRefund")
    pending = await shop.gateway.send(child(charge, _REFUND, outcome))
    assert isinstance(pending, Pending)
    await shop.act(pending.reference, "refuse")

    _, fact = await last_fact(shop, inbox)

    assert (fact.kind, fact.outcome) == (
        _REFUND,
        Declined("expired_or_canceled_card", retryable=True, reference=pending.reference),
    )


async def test_a_dispute_takes_the_money_and_may_be_lost(shop: Shop, inbox: _Inbox) -> None:
    _, outcome = await paid(shop, "pm_card_createDispute")
    _, fact = await last_fact(shop, inbox)
    assert fact.kind is TransactionKind.REVERSAL
    assert fact.parent_reference == outcome.reference
    assert fact.outcome == Reversed(
        fact.reference, Money(2500, "EUR"), "dispute_needs_response", open=True
    )
    await shop.act(fact.reference, "refuse")

    _, fact = await last_fact(shop, inbox)

    assert fact.outcome == Reversed(fact.reference, Money(2500, "EUR"), "dispute_lost")


async def test_a_dispute_that_is_won_gives_the_money_back(shop: Shop, inbox: _Inbox) -> None:
    await paid(shop, "pm_card_createDispute")
    _, fact = await last_fact(shop, inbox)
    await shop.act(fact.reference, "approve")
    await steer(shop, action="drain")

    assert inbox.events[-1].name == "charge.dispute.funds_reinstated"
    assert [told.outcome for told in inbox.events[-1].facts] == [
        Restored(fact.reference, Money(2500, "EUR"), "dispute_won")
    ]
    assert inbox.events[-2].facts == inbox.events[-1].facts


async def test_an_inquiry_moves_no_money(shop: Shop, inbox: _Inbox) -> None:
    await paid(shop, "pm_card_createDisputeInquiry")
    await steer(shop, action="drain")

    told = [event for event in inbox.events if event.name.startswith("charge.dispute")]
    assert [event.facts for event in told] == [()]


@pytest.mark.parametrize(
    ("status", "open_"),
    [
        ("needs_response", True),
        ("under_review", True),
        ("appeal_needs_response", True),
        ("appeal_under_review", True),
        ("lost", False),
        ("a_status_of_tomorrow", False),
    ],
)
async def test_a_dispute_is_open_only_while_stripe_says_so(status: str, open_: bool) -> None:
    [fact] = (await told("charge.dispute.updated", a_dispute(status))).facts

    assert fact.outcome == Reversed("dp_1", Money(900, "EUR"), f"dispute_{status}", open=open_)


@pytest.mark.parametrize(
    ("booked", "outcomes"),
    [
        (None, []),
        ([], []),
        ([-900], [Reversed("dp_1", Money(900, "EUR"), "dispute_prevented")]),
        ([-900, 900], [Restored("dp_1", Money(900, "EUR"), "dispute_prevented")]),
        (["?"], [Reversed("dp_1", Money(900, "EUR"), "dispute_prevented")]),
    ],
)
async def test_of_a_prevented_dispute_stripe_s_books_tell_what_is_gone(
    booked: list[Any] | None, outcomes: list[Any]
) -> None:
    moved = None if booked is None else [{"amount": amount} for amount in booked]
    dispute = {**a_dispute("prevented"), "balance_transactions": moved}

    event = await told("charge.dispute.closed", dispute)

    assert [fact.outcome for fact in event.facts] == outcomes


# The way there ----------------------------------------------------------------------------------


async def test_an_event_delivered_again_has_the_same_id(shop: Shop, inbox: _Inbox) -> None:
    await steer(shop, action="duplicate", times=3)
    await paid(shop)
    await steer(shop, action="drain")

    ids = [event.id for event in inbox.events if event.name == "payment_intent.succeeded"]
    assert len(ids) == 3
    assert len(set(ids)) == 1


async def test_events_may_come_in_the_wrong_order(shop: Shop, inbox: _Inbox) -> None:
    await steer(shop, action="hold")
    await paid(shop)
    await steer(shop, action="drain")
    assert inbox.events == []
    await steer(shop, action="reorder")
    await steer(shop, action="drain")

    assert [event.name for event in inbox.events] == [
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ]


async def test_a_forged_event_is_rejected_and_not_repeated(shop: Shop, inbox: _Inbox) -> None:
    await paid(shop)
    await steer(shop, action="drain")
    before = len(inbox.bodies)
    await steer(shop, action="forge", id="evt_3Emulated000000000003")
    await steer(shop, action="drain")

    assert (len(inbox.bodies) - before, inbox.rejected) == (1, 1)


async def test_an_event_that_was_not_taken_is_delivered_again(shop: Shop, inbox: _Inbox) -> None:
    inbox.answers = [503, 500, 200]
    await paid(shop)
    await steer(shop, action="drain")

    told = (await shop.control.get("/_emulator/webhooks")).json()
    assert told[0]["tries"] == [503, 500, 200]
    assert json.loads(inbox.bodies[0])["id"] == told[0]["id"]
