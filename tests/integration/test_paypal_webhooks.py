"""What PayPal's events say became of the money."""

from datetime import UTC, datetime
from typing import Any

import pytest

from order_core.errors import WebhookRejected
from order_core.outcomes import Authorized, Continue, Declined, Pending, Reversed, Succeeded
from order_core.payment import TransactionKind
from order_core.ports.webhook_parser import ProviderFact
from order_emulators.chassis import Decision, Provision
from order_memory.contracts import samples
from order_paypal import Certificates, PayPalWebhooks
from order_paypal.certificates import SANDBOX_HOSTS, SANDBOX_NAME
from tests.integration.paypal_events import DISPUTE, EUR_25, NOW, an_event, read, signed
from tests.integration.paypal_wire import (
    CLIENT_ID,
    CLIENT_SECRET,
    WEBHOOK_ID,
    PayPalWire,
    paypal_wire,
)

_CAPTURE = {
    "id": "2GG279541U471931P",
    "status": "COMPLETED",
    "amount": {"currency_code": "EUR", "value": "25.00"},
    "custom_id": "tx-1,kiel",
    "invoice_id": "tx-1",
    "supplementary_data": {"related_ids": {"order_id": "5O190127TN364715T"}},
}
_OF_A_HOLD = {
    **_CAPTURE,
    "invoice_id": "tx-2",
    "supplementary_data": {"related_ids": {"authorization_id": "0VF52814937998046"}},
}
_HOLD = {**_CAPTURE, "id": "0VF52814937998046", "expiration_time": "2026-12-21T12:00:00Z"}
_REFUND = {
    **_CAPTURE,
    "id": "1JU08902781691411",
    "custom_id": "tx-3,kiel",
    "links": [
        {"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/2GG279541U471931P"}
    ],
}
_C, _A = TransactionKind.CHARGE, TransactionKind.AUTHORIZATION


def _fact(
    kind: TransactionKind,
    outcome: Any,
    reference: str,
    transaction_id: str | None = "tx-1",
    parent: str | None = None,
) -> ProviderFact:
    return ProviderFact(kind, outcome, reference, transaction_id, "kiel", parent)


_EVENTS: list[tuple[str, dict[str, Any], ProviderFact]] = [
    (
        "PAYMENT.CAPTURE.COMPLETED",
        _CAPTURE,
        _fact(_C, Succeeded("2GG279541U471931P", EUR_25, "tx-1"), "2GG279541U471931P"),
    ),
    (
        "PAYMENT.CAPTURE.COMPLETED",
        _OF_A_HOLD,
        _fact(
            TransactionKind.CAPTURE,
            Succeeded("2GG279541U471931P", EUR_25, "tx-2"),
            "2GG279541U471931P",
            "tx-2",
            "0VF52814937998046",
        ),
    ),
    (
        "PAYMENT.CAPTURE.PENDING",
        {**_CAPTURE, "status": "PENDING"},
        _fact(_C, Pending("5O190127TN364715T"), "2GG279541U471931P"),
    ),
    (
        "PAYMENT.CAPTURE.DENIED",
        {**_CAPTURE, "status": "DECLINED", "processor_response": {"response_code": "5120"}},
        _fact(_C, Declined("insufficient_funds", retryable=True), "2GG279541U471931P"),
    ),
    ("PAYMENT.CAPTURE.DECLINED", _CAPTURE, _fact(_C, Declined("declined"), "2GG279541U471931P")),
    (
        "PAYMENT.AUTHORIZATION.CREATED",
        {**_HOLD, "status": "CREATED"},
        _fact(
            _A,
            Authorized("0VF52814937998046", EUR_25, "tx-1", datetime(2026, 12, 21, 12, tzinfo=UTC)),
            "0VF52814937998046",
        ),
    ),
    (
        "PAYMENT.AUTHORIZATION.VOIDED",
        {**_HOLD, "status": "VOIDED"},
        _fact(_A, Declined("voided", reference="0VF52814937998046"), "0VF52814937998046"),
    ),
    (
        "PAYMENT.CAPTURE.REFUNDED",
        _REFUND,
        _fact(
            TransactionKind.REFUND,
            Succeeded("1JU08902781691411", EUR_25, "tx-3"),
            "1JU08902781691411",
            "tx-3",
            "2GG279541U471931P",
        ),
    ),
    (
        "PAYMENT.REFUND.FAILED",
        {**_REFUND, "status": "FAILED"},
        _fact(
            TransactionKind.REFUND,
            Declined("refund_failed", reference="1JU08902781691411"),
            "1JU08902781691411",
            "tx-3",
            "2GG279541U471931P",
        ),
    ),
    (
        "PAYMENT.CAPTURE.REVERSED",
        {**_REFUND, "custom_id": "tx-1,kiel"},
        _fact(
            TransactionKind.REVERSAL,
            Reversed("1JU08902781691411", EUR_25, "reversed", open=True),
            "1JU08902781691411",
            None,
            "2GG279541U471931P",
        ),
    ),
    (
        "CHECKOUT.ORDER.APPROVED",
        {
            "id": "5O190127TN364715T",
            "intent": "CAPTURE",
            "purchase_units": [{"custom_id": "tx-1,kiel"}],
        },
        _fact(_C, Continue("5O190127TN364715T"), "5O190127TN364715T"),
    ),
    (
        "CUSTOMER.DISPUTE.CREATED",
        DISPUTE,
        _fact(
            TransactionKind.REVERSAL,
            Reversed("PP-D-27803", EUR_25, "dispute", open=True),
            "PP-D-27803",
            None,
            "2GG279541U471931P",
        ),
    ),
    (
        "CUSTOMER.DISPUTE.RESOLVED",
        {
            **DISPUTE,
            "status": "RESOLVED",
            "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"},
        },
        _fact(
            TransactionKind.REVERSAL,
            Reversed("PP-D-27803", EUR_25, "dispute"),
            "PP-D-27803",
            None,
            "2GG279541U471931P",
        ),
    ),
]


@pytest.mark.parametrize(("name", "resource", "fact"), _EVENTS)
async def test_an_event_says_what_became_of_the_money(
    name: str, resource: dict[str, Any], fact: ProviderFact
) -> None:
    body = an_event(name, **resource)

    assert (await read(body, signed(body))).facts == (fact,)


@pytest.mark.parametrize("name", sorted({name for name, *_ in _EVENTS}))
@pytest.mark.parametrize("resource", [{}, {"amount": 7, "links": "x", "status": []}])
async def test_an_event_that_says_nothing_readable_is_kept_without_facts(
    name: str, resource: dict[str, Any]
) -> None:
    body = an_event(name, **resource)
    facts = (await read(body, signed(body))).facts

    assert not [fact for fact in facts if isinstance(fact.outcome, Succeeded | Reversed)]


async def test_what_paypal_took_back_may_come_back_with_the_dispute_behind_it() -> None:
    # Which dispute that is the event does not say, so a person ends it.
    body = an_event("PAYMENT.CAPTURE.REVERSED", **_REFUND)

    [fact] = (await read(body, signed(body))).facts
    assert isinstance(fact.outcome, Reversed)
    assert fact.outcome.open


async def test_what_paypal_took_back_is_heard_whatever_its_sign() -> None:
    taken = {"currency_code": "EUR", "value": "-25.00"}
    body = an_event("PAYMENT.CAPTURE.REVERSED", **{**_REFUND, "amount": taken})

    [fact] = (await read(body, signed(body))).facts
    assert fact.outcome == Reversed("1JU08902781691411", EUR_25, "reversed", open=True)


async def test_what_the_emulator_tells_is_what_happened() -> None:
    received: list[tuple[bytes, dict[str, str]]] = []
    async with paypal_wire(Provision(secrets=_secrets())) as wire:
        gateway = wire.gateway()
        charge = samples.a_charge("order-8", datetime.now(UTC), token="vault:paypal:ok")
        first = await gateway.send(charge)
        assert isinstance(first, Continue)
        order = wire.emulator.books.orders[first.reference]
        wire.emulator.act(order.id, Decision.APPROVE)
        for event in wire.emulator.take_events():
            told = wire.emulator.signed(event, url="x", at=datetime.now(UTC), forged=False)
            received.append((told.body, {k.lower(): v for k, v in told.headers.items()}))
        parsed = [await _parser(wire).parse(*one) for one in received]
        await gateway.close()

    assert [event.name for event in parsed] == ["CHECKOUT.ORDER.APPROVED"]
    (fact,) = parsed[0].facts
    assert (fact.transaction_id, fact.installation) == (charge.id, "default")
    assert fact.outcome == Continue(order.id)


async def test_a_forged_event_of_the_emulator_is_refused() -> None:
    async with paypal_wire(Provision(secrets=_secrets())) as wire:
        order = wire.emulator.books.open(intent="CAPTURE", value=1, currency="EUR")
        wire.emulator.act(order.id, Decision.APPROVE)
        (event,) = wire.emulator.take_events()
        # So that the emulator knows its own address.
        gateway = wire.gateway()
        await gateway.look_up(samples.a_charge("o", NOW, provider_reference=order.id))
        await gateway.close()
        forged = wire.emulator.signed(event, url="x", at=datetime.now(UTC), forged=True)

        with pytest.raises(WebhookRejected, match="signature is wrong"):
            await _parser(wire).parse(forged.body, forged.headers)


def _secrets() -> dict[str, str]:
    return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "webhook_id": WEBHOOK_ID}


def _parser(wire: PayPalWire) -> PayPalWebhooks:
    certificates = Certificates(
        roots=[wire.emulator.signer.root],
        name=SANDBOX_NAME,
        hosts=SANDBOX_HOSTS,
        emulator=wire.url,
    )
    return PayPalWebhooks(WEBHOOK_ID, certificates)
