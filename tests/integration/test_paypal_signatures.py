"""Which events PayPal signed, and which somebody touched, kept back or made up."""

import base64
import zlib
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from order_core.errors import WebhookRejected
from order_core.ports.webhook_parser import WebhookEvent
from tests.integration.paypal_events import NOW, SIGNER, an_event, read, signed
from tests.integration.paypal_wire import WEBHOOK_ID


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
        await read(body, signed(body, at=NOW - age))


@pytest.mark.parametrize("age", [timedelta(days=3), timedelta(minutes=-4)])
async def test_a_late_delivery_is_read(age: timedelta) -> None:
    body = an_event()

    assert (await read(body, signed(body, at=NOW - age))).id == "WH-1"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"id": 7}', b'{"id": "a b"}', b"[" * 100_000])
async def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRejected):
        await read(body, signed(body))


async def test_the_signature_is_paypals_formula() -> None:
    # Written out here a second time, so that signer and parser cannot be wrong together.
    body = b'{"id": "WH-9", "event_type": "X", "resource": {}}'
    headers = signed(body)
    key = x509.load_pem_x509_certificate(SIGNER.certificate_pem).public_key()
    assert isinstance(key, rsa.RSAPublicKey)

    key.verify(
        base64.b64decode(headers["paypal-transmission-sig"]),
        f"69cd13f0|2026-11-22T12:00:00Z|{WEBHOOK_ID}|{zlib.crc32(body)}".encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )
