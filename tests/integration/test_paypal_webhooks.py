"""PayPal's events: who signed them, and what they say."""

import asyncio
import base64
import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from order_core.errors import WebhookRejected, WebhookUnverifiable
from order_core.money import Money
from order_core.outcomes import (
    Authorized,
    Continue,
    Declined,
    Pending,
    Restored,
    Reversed,
    Succeeded,
)
from order_core.payment import TransactionKind
from order_core.ports.webhook_parser import ProviderFact, WebhookEvent
from order_emulators.chassis import Decision, Provision
from order_emulators.paypal import WebhookSigner
from order_memory.contracts import samples
from order_paypal import Certificates, PayPalWebhooks
from order_paypal.certificates import SANDBOX_HOSTS, SANDBOX_NAME
from tests.integration.paypal_wire import (
    CLIENT_ID,
    CLIENT_SECRET,
    WEBHOOK_ID,
    PayPalWire,
    paypal_wire,
)

_NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_CERT_URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594"
_SIGNER = WebhookSigner(now=_NOW)
_OTHER_AUTHORITY = WebhookSigner(now=_NOW)


class _PayPal:
    """Hands out the certificate, and remembers who asked for which."""

    def __init__(self, pem: bytes | Exception = _SIGNER.certificate_pem) -> None:
        self.pem = pem
        self.fetched: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if isinstance(self.pem, Exception):
            raise self.pem
        return self.pem

    def webhooks(self, now: datetime = _NOW, **but: Any) -> PayPalWebhooks:
        values = {"roots": [_SIGNER.root], "name": SANDBOX_NAME, "hosts": SANDBOX_HOSTS}
        certificates = Certificates(**{**values, "fetch": self.fetch, "now": lambda: now, **but})
        return PayPalWebhooks(WEBHOOK_ID, certificates, now=lambda: now)


def an_event(name: str = "PAYMENT.CAPTURE.COMPLETED", **resource: Any) -> bytes:
    return json.dumps({"id": "WH-1", "event_type": name, "resource": resource}).encode()


def signed(body: bytes, signer: WebhookSigner = _SIGNER, **but: Any) -> dict[str, str]:
    values = {"event_id": "69cd13f0", "at": _NOW, "webhook_id": WEBHOOK_ID, "cert_url": _CERT_URL}
    return signer.headers(body, **{**values, **but})


async def read(body: bytes, headers: Mapping[str, str], **but: Any) -> WebhookEvent:
    return await _PayPal().webhooks(**but).parse(body, headers)


# Who signed it ----------------------------------------------------------------------------


async def test_an_event_that_paypal_signed_is_read() -> None:
    body = an_event("SOME.NEW.EVENT")

    assert await read(body, signed(body)) == WebhookEvent("WH-1", "SOME.NEW.EVENT")


@pytest.mark.parametrize(
    ("but", "because"),
    [
        ({"paypal-transmission-sig": base64.b64encode(b"x" * 256).decode()}, "signature is wrong"),
        ({"paypal-transmission-sig": "%%%"}, "signature cannot be read"),
        ({"paypal-transmission-sig": "A" * 1025}, "signature is too long"),
        ({"paypal-transmission-sig": ""}, "signature is wrong"),
        ({"paypal-transmission-id": "another"}, "signature is wrong"),
        ({"paypal-transmission-id": "a|b"}, "no transmission id"),
        ({"paypal-auth-algo": "SHA1withRSA"}, "SHA256withRSA"),
        ({"paypal-auth-algo": ""}, "SHA256withRSA"),
        ({"paypal-transmission-time": "yesterday"}, "no transmission time"),
        ({"paypal-transmission-time": "2026-11-22T12:00:00"}, "no zone"),
        ({"paypal-transmission-time": "2026-11-22T12:00:01Z"}, "signature is wrong"),
    ],
)
async def test_a_header_that_was_touched_is_noticed(but: dict[str, str], because: str) -> None:
    body = an_event()

    with pytest.raises(WebhookRejected, match=because):
        await read(body, {**signed(body), **but})


async def test_headers_that_are_missing_are_noticed() -> None:
    with pytest.raises(WebhookRejected):
        await read(an_event(), {})


async def test_a_body_that_was_touched_is_noticed() -> None:
    body = an_event()

    with pytest.raises(WebhookRejected, match="signature is wrong"):
        await read(body + b" ", signed(body))


async def test_an_event_for_another_webhook_is_not_ours() -> None:
    body = an_event()

    with pytest.raises(WebhookRejected, match="signature is wrong"):
        await read(body, signed(body, webhook_id="SOMEBODY-ELSE"))


@pytest.mark.parametrize("age", [timedelta(days=4), timedelta(minutes=-6)])
async def test_an_event_of_long_ago_or_of_the_future_is_refused(age: timedelta) -> None:
    body = an_event()

    with pytest.raises(WebhookRejected, match="too old or too far ahead"):
        await read(body, signed(body, at=_NOW - age))


@pytest.mark.parametrize("age", [timedelta(days=3), timedelta(minutes=-4)])
async def test_a_late_delivery_is_read(age: timedelta) -> None:
    body = an_event()

    assert (await read(body, signed(body, at=_NOW - age))).id == "WH-1"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"id": 7}', b'{"id": "a b"}', b"[" * 100_000])
async def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRejected):
        await read(body, signed(body))


# Whose certificate it is ------------------------------------------------------------------


async def test_a_certificate_of_another_authority_is_refused() -> None:
    body = an_event()
    paypal = _PayPal(_OTHER_AUTHORITY.certificate_pem)

    with pytest.raises(WebhookRejected, match="not PayPal's"):
        await paypal.webhooks().parse(body, signed(body, _OTHER_AUTHORITY))


async def test_a_certificate_for_another_name_is_refused() -> None:
    body = an_event()
    other = WebhookSigner(name="www.paypal.com", now=_NOW)
    paypal = _PayPal(other.certificate_pem)

    with pytest.raises(WebhookRejected, match="not PayPal's"):
        await paypal.webhooks(roots=[other.root]).parse(body, signed(body, other))


async def test_a_certificate_that_ended_is_refused() -> None:
    body = an_event()
    later = _NOW + timedelta(days=400)

    with pytest.raises(WebhookRejected, match="not PayPal's"):
        await read(body, signed(body, at=later), now=later)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://evil.example/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "https://eve@api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com:443/v1/notifications/certs/CERT-1",
        "https://API.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com./v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/../../x",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1/x",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1?x=1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.sandbox.paypal.com/v1/notifications/certs/%2e%2e",
        "https://api.sandbox.paypal.com/v1/oauth2/token",
        "https://169.254.169.254/v1/notifications/certs/CERT-1",
        "file:///v1/notifications/certs/CERT-1",
        "https://[::1/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1\n",
        "https://api.sandbox.paypal.com/v1/notifications/certs/" + "C" * 300,
    ],
)
async def test_an_address_that_is_not_paypals_is_never_asked(url: str) -> None:
    body = an_event()
    paypal = _PayPal()

    with pytest.raises(WebhookRejected, match="cert_url"):
        await paypal.webhooks().parse(body, signed(body, cert_url=url))

    assert paypal.fetched == []


@pytest.mark.parametrize(
    "trouble",
    [httpx.ConnectError("no"), OSError("no"), TimeoutError(), b"<html>down</html>", b""],
)
async def test_a_certificate_that_cannot_be_had_is_asked_for_again(
    trouble: bytes | Exception,
) -> None:
    body = an_event()
    paypal = _PayPal(trouble)
    webhooks = paypal.webhooks()

    with pytest.raises(WebhookUnverifiable):
        await webhooks.parse(body, signed(body))
    paypal.pem = _SIGNER.certificate_pem

    assert (await webhooks.parse(body, signed(body))).id == "WH-1"


async def test_a_certificate_is_fetched_once() -> None:
    body = an_event()
    paypal = _PayPal()
    webhooks = paypal.webhooks()

    for _ in range(3):
        await webhooks.parse(body, signed(body))

    assert paypal.fetched == [_CERT_URL]


async def test_strangers_who_invent_certificates_do_not_have_paypal_asked_for_each() -> None:
    body, watch = an_event(), [0.0]
    paypal = _PayPal()
    webhooks = paypal.webhooks(monotonic=lambda: watch[0])
    await webhooks.parse(body, signed(body))
    paypal.pem = httpx.ConnectError("there is no such certificate")

    for number in range(200):
        with pytest.raises(WebhookUnverifiable):
            await webhooks.parse(body, signed(body, cert_url=f"{_CERT_URL}-{number}"))
    assert 10 < len(paypal.fetched) <= 21

    watch[0] = 3_601.0
    for number in range(200):
        with pytest.raises(WebhookUnverifiable):
            await webhooks.parse(body, signed(body, cert_url=f"{_CERT_URL}-later-{number}"))
    assert len(paypal.fetched) <= 41
    # One that was good waits for no turn.
    paypal.pem = _SIGNER.certificate_pem
    assert (await webhooks.parse(body, signed(body))).id == "WH-1"


async def test_many_events_at_once_have_the_certificate_fetched_once() -> None:
    body, let_it_come = an_event(), asyncio.Event()
    fetched: list[str] = []

    async def fetch(url: str) -> bytes:
        fetched.append(url)
        await let_it_come.wait()
        return _SIGNER.certificate_pem

    webhooks = _PayPal().webhooks(fetch=fetch)
    first, *others = [asyncio.create_task(webhooks.parse(body, signed(body))) for _ in range(30)]
    while not fetched:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    let_it_come.set()
    assert {event.id for event in await asyncio.gather(*others)} == {"WH-1"}
    assert fetched == [_CERT_URL]


async def test_the_signature_is_paypals_formula() -> None:
    # Written out here a second time, so that signer and parser cannot be wrong together.
    body = b'{"id": "WH-9", "event_type": "X", "resource": {}}'
    headers = signed(body)
    key = x509.load_pem_x509_certificate(_SIGNER.certificate_pem).public_key()
    assert isinstance(key, rsa.RSAPublicKey)

    key.verify(
        base64.b64decode(headers["paypal-transmission-sig"]),
        f"69cd13f0|2026-11-22T12:00:00Z|{WEBHOOK_ID}|{zlib.crc32(body)}".encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )


# What it says -----------------------------------------------------------------------------

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
_DISPUTE = {
    "dispute_id": "PP-D-27803",
    "status": "OPEN",
    "dispute_amount": {"currency_code": "EUR", "value": "25.00"},
    "disputed_transactions": [
        {"seller_transaction_id": "2GG279541U471931P", "custom": "tx-1,kiel"}
    ],
}
_EUR_25 = Money(2500, "EUR")
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
        _fact(_C, Succeeded("2GG279541U471931P", _EUR_25, "tx-1"), "2GG279541U471931P"),
    ),
    (
        "PAYMENT.CAPTURE.COMPLETED",
        _OF_A_HOLD,
        _fact(
            TransactionKind.CAPTURE,
            Succeeded("2GG279541U471931P", _EUR_25, "tx-2"),
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
            Authorized(
                "0VF52814937998046", _EUR_25, "tx-1", datetime(2026, 12, 21, 12, tzinfo=UTC)
            ),
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
            Succeeded("1JU08902781691411", _EUR_25, "tx-3"),
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
            Reversed("1JU08902781691411", _EUR_25, "reversed"),
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
        _DISPUTE,
        _fact(
            TransactionKind.REVERSAL,
            Reversed("PP-D-27803", _EUR_25, "dispute", open=True),
            "PP-D-27803",
            None,
            "2GG279541U471931P",
        ),
    ),
    (
        "CUSTOMER.DISPUTE.RESOLVED",
        {
            **_DISPUTE,
            "status": "RESOLVED",
            "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"},
        },
        _fact(
            TransactionKind.REVERSAL,
            Reversed("PP-D-27803", _EUR_25, "dispute"),
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


async def test_a_dispute_that_the_shop_won_gives_the_money_back() -> None:
    won = {"status": "RESOLVED", "dispute_outcome": {"outcome_code": "RESOLVED_SELLER_FAVOUR"}}
    body = an_event("CUSTOMER.DISPUTE.RESOLVED", **{**_DISPUTE, **won})

    [fact] = (await read(body, signed(body))).facts
    assert fact.outcome == Restored("PP-D-27803", _EUR_25, "dispute_won")
    assert fact.parent_reference == "2GG279541U471931P"


def resolved(code: str | None, refunded: Any = None, **but: Any) -> bytes:
    """A dispute that is over: how, and what its buyer got."""
    outcome = {"outcome_code": code} if code else {}
    got = {"amount_refunded": {"currency_code": "EUR", "value": refunded}} if refunded else {}
    over = {"status": "RESOLVED", "dispute_outcome": {**outcome, **got}, **but}
    return an_event("CUSTOMER.DISPUTE.RESOLVED", **{**_DISPUTE, **over})


@pytest.mark.parametrize("code", ["RESOLVED_BUYER_FAVOUR", "ACCEPTED", "RESOLVED_WITH_PAYOUT"])
@pytest.mark.parametrize(
    ("refunded", "lost"),
    [("10.00", 1000), ("25.00", 2500), (None, 2500), ("31.00", 2500), ("?", 2500), ("0.00", 2500)],
)
async def test_a_dispute_that_is_lost_takes_what_its_buyer_got(
    code: str, refunded: str | None, lost: int
) -> None:
    body = resolved(code, refunded)

    [fact] = (await read(body, signed(body))).facts

    assert fact.outcome == Reversed("PP-D-27803", Money(lost, "EUR"), "dispute")


@pytest.mark.parametrize("code", ["NONE", None, "SOMETHING_NEW"])
@pytest.mark.parametrize("refunded", [None, "10.00"])
async def test_a_dispute_that_ended_without_a_decision_is_not_won(
    code: str | None, refunded: str | None
) -> None:
    body = resolved(code, refunded)

    [fact] = (await read(body, signed(body))).facts

    lost = Money(1000 if refunded else 2500, "EUR")
    assert fact.outcome == Reversed("PP-D-27803", lost, "dispute")


@pytest.mark.parametrize("code", ["RESOLVED_SELLER_FAVOUR", "CANCELED_BY_BUYER", "DENIED"])
async def test_what_paypal_gave_the_buyer_of_a_dispute_that_was_won_is_not_the_shops(
    code: str,
) -> None:
    body = resolved(code, "10.00")

    [fact] = (await read(body, signed(body))).facts

    assert fact.outcome == Restored("PP-D-27803", _EUR_25, "dispute_won")


async def test_of_two_payments_disputed_and_lost_in_part_nobody_knows_which_lost_what() -> None:
    both = [
        {
            "seller_transaction_id": name,
            "gross_amount": {"currency_code": "EUR", "value": value},
        }
        for name, value in (("CAP-1", "10.00"), ("CAP-2", "15.00"))
    ]
    body = resolved("RESOLVED_BUYER_FAVOUR", "12.00", disputed_transactions=both)

    facts = (await read(body, signed(body))).facts

    outcomes = [fact.outcome for fact in facts]
    assert outcomes == [
        Reversed("PP-D-27803", Money(1000, "EUR"), "dispute"),
        Reversed("PP-D-27803", Money(1200, "EUR"), "dispute"),
    ]


# From the emulator to the parser ----------------------------------------------------------


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
        await gateway.look_up(samples.a_charge("o", _NOW, provider_reference=order.id))
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


async def test_a_dispute_of_two_payments_takes_its_part_of_each() -> None:
    def paid(name: str, value: str) -> dict[str, object]:
        gross = {"currency_code": "EUR", "value": value}
        return {"seller_transaction_id": name, "gross_amount": gross}

    both = {
        "disputed_transactions": [paid("CAP-1", "10.00"), paid("CAP-2", "15.00")],
        "update_time": "2030-05-04T10:00:00.000Z",
    }
    body = an_event("CUSTOMER.DISPUTE.CREATED", **{**_DISPUTE, **both})

    facts = (await read(body, signed(body))).facts

    assert [(fact.parent_reference, fact.outcome) for fact in facts] == [
        ("CAP-1", Reversed("PP-D-27803", Money(1000, "EUR"), "dispute", open=True)),
        ("CAP-2", Reversed("PP-D-27803", Money(1500, "EUR"), "dispute", open=True)),
    ]
    assert {f.reference for f in facts} == {"PP-D-27803"}
    assert {f.sequence for f in facts} == {1_904_119_200_000_000}
