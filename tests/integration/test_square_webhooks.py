"""Square's events are believed only with Square's signature, and say what happened."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from order_core.errors import WebhookRejected
from order_core.money import Money
from order_core.outcomes import Authorized, Declined, Pending, Restored, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports import WebhookEvent
from order_memory.contracts import samples
from order_square.webhooks import SquareWebhooks
from tests.integration.square_wire import LOCATION, SIGNATURE_KEY, WEBHOOK_URL, Square

_HEADER = "x-square-hmacsha256-signature"


@pytest.fixture
def webhooks() -> SquareWebhooks:
    return SquareWebhooks(signature_key=SIGNATURE_KEY, url=WEBHOOK_URL, location_id=LOCATION)


def signed(body: bytes, *, key: str = SIGNATURE_KEY, url: str = WEBHOOK_URL) -> dict[str, str]:
    digest = hmac.digest(key.encode(), url.encode() + body, hashlib.sha256)
    return {_HEADER: base64.b64encode(digest).decode()}


def an_event(name: str = "payment.updated", **thing: Any) -> bytes:
    event = {"event_id": "E-1", "type": name, "data": {"object": thing}}
    return json.dumps(event).encode()


def a_payment(**but: Any) -> dict[str, Any]:
    return {
        "id": "PAY1",
        "status": "COMPLETED",
        "amount_money": {"amount": 2500, "currency": "EUR"},
        "location_id": LOCATION,
        **but,
    }


async def told(square: Square) -> list[WebhookEvent]:
    return [await square.webhooks.parse(*delivery) for delivery in await square.deliveries()]


# Whom to believe --------------------------------------------------------------------------


async def test_a_genuine_event_is_read(webhooks: SquareWebhooks) -> None:
    body = an_event("catalog.version.updated")

    assert await webhooks.parse(body, signed(body)) == WebhookEvent(
        "E-1", "catalog.version.updated", ()
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {_HEADER: ""},
        {_HEADER: "x"},
        {_HEADER: "é" * 44},
        {_HEADER: "\ud800" * 44},
        {_HEADER: "A" * 43 + "="},
        {_HEADER: "A" * 100_000},
        signed(an_event(), key="another key"),
        signed(an_event(), url=WEBHOOK_URL + "/"),
        signed(an_event(), url=WEBHOOK_URL.replace("https", "http")),
        signed(an_event() + b" "),
    ],
)
async def test_without_the_right_signature_nothing_is_believed(
    webhooks: SquareWebhooks, headers: Mapping[str, str]
) -> None:
    with pytest.raises(WebhookRejected):
        await webhooks.parse(an_event(), headers)


async def test_one_changed_byte_is_noticed(webhooks: SquareWebhooks) -> None:
    body = an_event(payment=a_payment())

    with pytest.raises(WebhookRejected):
        await webhooks.parse(body.replace(b"2500", b"2501"), signed(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"no json",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"{}",
        b'{"event_id": 5, "type": "payment.updated"}',
        b'{"event_id": "E-1"}',
        b'{"event_id": "E 1", "type": "payment.updated"}',
        b'{"event_id": "E-1", "type": "payment.updated"}',
        an_event(payment="PAY1"),
        an_event(payment=a_payment(id=None)),
        an_event(payment=a_payment(amount_money={"amount": "1", "currency": "EUR"})),
        an_event("refund.updated", payment=a_payment()),
    ],
)
async def test_a_genuine_body_that_cannot_be_read_is_refused(
    webhooks: SquareWebhooks, body: bytes
) -> None:
    with pytest.raises(WebhookRejected):
        await webhooks.parse(body, signed(body))


async def test_another_location_of_the_same_seller_is_not_ours(webhooks: SquareWebhooks) -> None:
    body = an_event(payment=a_payment(location_id="LOTHER"))

    assert (await webhooks.parse(body, signed(body))).facts == ()


async def test_an_emulated_forgery_is_refused(square: Square) -> None:
    await square.gateway.send(square.a_charge())
    await square.control("webhooks", {"action": "forge"})
    genuine, forged = await square.deliveries()

    assert (await square.webhooks.parse(*genuine)).facts
    with pytest.raises(WebhookRejected):
        await square.webhooks.parse(*forged)


@pytest.fixture
def square() -> Square:
    return Square()


# What they say ----------------------------------------------------------------------------


async def test_a_payment_names_our_transaction_and_our_installation(square: Square) -> None:
    charge = square.a_charge()
    answer = await square.gateway.send(charge)

    [event] = await told(square)

    [fact] = event.facts
    assert event.name == "payment.created"
    assert fact.outcome == answer
    assert (fact.kind, fact.transaction_id, fact.installation) == (
        TransactionKind.CHARGE,
        charge.id,
        "kiel-1",
    )


async def test_a_declined_payment_is_told_as_declined(square: Square) -> None:
    charge = square.a_charge("ccof:customer-card-id-rejected-cvv")
    answer = await square.gateway.send(charge)

    [event] = await told(square)

    assert [(fact.outcome, fact.transaction_id) for fact in event.facts] == [(answer, charge.id)]


async def test_a_bank_payment_is_told_twice(square: Square) -> None:
    charge = square.a_charge("bnon:bank-nonce-ok")
    pending = await square.gateway.send(charge)
    assert isinstance(pending, Pending)
    await square.control("act", {"reference": pending.reference, "decision": "approve"})

    first, second = await told(square)

    assert first.facts[0].outcome == pending
    assert second.facts[0].outcome == Succeeded(pending.reference, samples.EUR_25, charge.id)


async def test_the_event_of_a_capture_does_not_overtake_its_answer(square: Square) -> None:
    holds = [square.a_charge(kind=TransactionKind.AUTHORIZATION) for _ in range(2)]
    kinds = (TransactionKind.CAPTURE, TransactionKind.VOID)
    for hold, kind in zip(holds, kinds, strict=True):
        held = await square.gateway.send(hold)
        assert isinstance(held, Authorized)
        child = samples.a_refund(hold, kind=kind, parent_reference=held.reference)
        await square.gateway.send(child)

    begun, captured, begun_too, voided = await told(square)

    for event in (begun, begun_too):
        assert event.facts[0].kind is TransactionKind.AUTHORIZATION
        assert isinstance(event.facts[0].outcome, Authorized)
    # Square does not say which request captured, so only the look-up can tell.
    assert captured.facts == ()
    [ended] = voided.facts
    assert (ended.kind, type(ended.outcome)) == (TransactionKind.AUTHORIZATION, Declined)
    assert ended.transaction_id == holds[1].id


async def test_a_refund_names_our_transaction_and_its_payment(square: Square) -> None:
    charge = square.a_charge()
    paid = await square.gateway.send(charge)
    assert isinstance(paid, Succeeded)
    refund = samples.a_refund(charge, parent_reference=paid.reference, amount=Money(700, "EUR"))
    pending = await square.gateway.send(refund)
    square.time.passes(seconds=3)
    await square.gateway.look_up(replace(refund, provider_reference=None))

    _, created, updated = await told(square)

    assert created.facts[0].outcome == pending
    [fact] = updated.facts
    assert isinstance(pending, Pending)
    assert fact.outcome == Succeeded(pending.reference, Money(700, "EUR"), refund.id)
    assert (fact.transaction_id, fact.installation, fact.parent_reference) == (
        refund.id,
        "kiel-1",
        paid.reference,
    )


async def test_a_dispute_takes_the_money_back_for_the_time_being(square: Square) -> None:
    paid = await square.gateway.send(square.a_charge())
    assert isinstance(paid, Succeeded)
    await square.control("act", {"reference": paid.reference, "decision": "refuse"})

    _, event = await told(square)

    [fact] = event.facts
    assert event.name == "dispute.created"
    assert fact.kind is TransactionKind.REVERSAL
    assert fact.parent_reference == paid.reference
    assert fact.outcome == Reversed(
        fact.reference, samples.EUR_25, "dispute_no_knowledge", open=True
    )


@pytest.mark.parametrize(
    ("state", "still_open"),
    [
        ("EVIDENCE_REQUIRED", True),
        ("PROCESSING", True),
        ("LOST", False),
        ("ACCEPTED", False),
        ("INQUIRY_EVIDENCE_REQUIRED", None),
        ("INQUIRY_CLOSED", None),
    ],
)
async def test_only_a_dispute_that_costs_money_is_a_fact(
    webhooks: SquareWebhooks, state: str, *, still_open: bool | None
) -> None:
    dispute = {
        "id": "DIS1",
        "state": state,
        "amount_money": {"amount": 2500, "currency": "EUR"},
        "reason": "NOT_AS_DESCRIBED",
        "disputed_payment": {"payment_id": "PAY1"},
    }
    body = an_event("dispute.state.updated", dispute=dispute)

    event = await webhooks.parse(body, signed(body))

    opens = [fact.outcome.open for fact in event.facts if isinstance(fact.outcome, Reversed)]
    assert opens == ([] if still_open is None else [still_open])


async def test_a_dispute_that_is_won_gives_the_money_back(webhooks: SquareWebhooks) -> None:
    dispute = {
        "id": "DIS1",
        "state": "WON",
        "amount_money": {"amount": 2500, "currency": "EUR"},
        "reason": "NOT_AS_DESCRIBED",
        "disputed_payment": {"payment_id": "PAY1"},
    }
    body = an_event("dispute.state.updated", dispute=dispute)

    [fact] = (await webhooks.parse(body, signed(body))).facts

    assert fact.outcome == Restored("DIS1", samples.EUR_25, "dispute_not_as_described")
    assert fact.parent_reference == "PAY1"


@pytest.mark.parametrize(
    ("reference_id", "note"),
    [
        ("charge-1", None),
        ("charge-1", "table 5"),
        (None, "charge of order order-7, installation kiel-1"),
        ("charge-1", "charge of order order-7, installation kiel-1 and more"),
    ],
)
async def test_a_payment_without_our_mark_is_somebody_elses(
    webhooks: SquareWebhooks, reference_id: str | None, note: str | None
) -> None:
    body = an_event(payment=a_payment(reference_id=reference_id, note=note))

    [fact] = (await webhooks.parse(body, signed(body))).facts

    assert (fact.transaction_id, fact.installation) == (None, None)
