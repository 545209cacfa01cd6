"""Whose certificate signs PayPal's events, where it is fetched, and how often."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from order_core.errors import WebhookRejected, WebhookUnverifiable
from order_emulators.paypal import WebhookSigner
from tests.integration.paypal_events import CERT_URL, NOW, SIGNER, PayPal, an_event, read, signed

_OTHER_AUTHORITY = WebhookSigner(now=NOW)


async def test_a_certificate_of_another_authority_is_refused() -> None:
    body = an_event()
    paypal = PayPal(_OTHER_AUTHORITY.certificate_pem)

    with pytest.raises(WebhookRejected, match="not PayPal's"):
        await paypal.webhooks().parse(body, signed(body, _OTHER_AUTHORITY))


async def test_a_certificate_for_another_name_is_refused() -> None:
    body = an_event()
    other = WebhookSigner(name="www.paypal.com", now=NOW)
    paypal = PayPal(other.certificate_pem)

    with pytest.raises(WebhookRejected, match="not PayPal's"):
        await paypal.webhooks(roots=[other.root]).parse(body, signed(body, other))


async def test_a_certificate_that_ended_is_refused() -> None:
    body = an_event()
    later = NOW + timedelta(days=400)

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
    paypal = PayPal()

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
    paypal = PayPal(trouble)
    webhooks = paypal.webhooks()

    with pytest.raises(WebhookUnverifiable):
        await webhooks.parse(body, signed(body))
    paypal.pem = SIGNER.certificate_pem

    assert (await webhooks.parse(body, signed(body))).id == "WH-1"


async def test_a_certificate_is_fetched_once() -> None:
    body = an_event()
    paypal = PayPal()
    webhooks = paypal.webhooks()

    for _ in range(3):
        await webhooks.parse(body, signed(body))

    assert paypal.fetched == [CERT_URL]


async def test_strangers_who_invent_certificates_do_not_have_paypal_asked_for_each() -> None:
    body, watch = an_event(), [0.0]
    paypal = PayPal()
    webhooks = paypal.webhooks(monotonic=lambda: watch[0])
    await webhooks.parse(body, signed(body))
    paypal.pem = httpx.ConnectError("there is no such certificate")

    for number in range(200):
        with pytest.raises(WebhookUnverifiable):
            await webhooks.parse(body, signed(body, cert_url=f"{CERT_URL}-{number}"))
    assert 10 < len(paypal.fetched) <= 21

    watch[0] = 3_601.0
    for number in range(200):
        with pytest.raises(WebhookUnverifiable):
            await webhooks.parse(body, signed(body, cert_url=f"{CERT_URL}-later-{number}"))
    assert len(paypal.fetched) <= 41
    # One that was good waits for no turn.
    paypal.pem = SIGNER.certificate_pem
    assert (await webhooks.parse(body, signed(body))).id == "WH-1"


async def test_many_events_at_once_have_the_certificate_fetched_once() -> None:
    body, let_it_come = an_event(), asyncio.Event()
    fetched: list[str] = []

    async def fetch(url: str) -> bytes:
        fetched.append(url)
        await let_it_come.wait()
        return SIGNER.certificate_pem

    webhooks = PayPal().webhooks(fetch=fetch)
    first, *others = [asyncio.create_task(webhooks.parse(body, signed(body))) for _ in range(30)]
    while not fetched:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    let_it_come.set()
    assert {event.id for event in await asyncio.gather(*others)} == {"WH-1"}
    assert fetched == [CERT_URL]
