"""PayPal's events as PayPal signs them, and the parser that reads them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from order_core.money import Money
from order_core.ports.webhook_parser import WebhookEvent
from order_emulators.paypal import WebhookSigner
from order_paypal import Certificates, PayPalWebhooks
from order_paypal.certificates import SANDBOX_HOSTS, SANDBOX_NAME
from tests.integration.paypal_wire import WEBHOOK_ID

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CERT_URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594"
SIGNER = WebhookSigner(now=NOW)
DISPUTE = {
    "dispute_id": "PP-D-27803",
    "status": "OPEN",
    "dispute_amount": {"currency_code": "EUR", "value": "25.00"},
    "disputed_transactions": [
        {"seller_transaction_id": "2GG279541U471931P", "custom": "tx-1,kiel"}
    ],
}
EUR_25 = Money(2500, "EUR")


class PayPal:
    """Hands out the certificate, and remembers who asked for which."""

    def __init__(self, pem: bytes | Exception = SIGNER.certificate_pem) -> None:
        self.pem = pem
        self.fetched: list[str] = []

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if isinstance(self.pem, Exception):
            raise self.pem
        return self.pem

    def webhooks(self, now: datetime = NOW, **but: Any) -> PayPalWebhooks:
        values = {"roots": [SIGNER.root], "name": SANDBOX_NAME, "hosts": SANDBOX_HOSTS}
        certificates = Certificates(**{**values, "fetch": self.fetch, "now": lambda: now, **but})
        return PayPalWebhooks(WEBHOOK_ID, certificates, now=lambda: now)


def an_event(name: str = "PAYMENT.CAPTURE.COMPLETED", **resource: Any) -> bytes:
    return json.dumps({"id": "WH-1", "event_type": name, "resource": resource}).encode()


def signed(body: bytes, signer: WebhookSigner = SIGNER, **but: Any) -> dict[str, str]:
    values = {"event_id": "69cd13f0", "at": NOW, "webhook_id": WEBHOOK_ID, "cert_url": CERT_URL}
    return signer.headers(body, **{**values, **but})


async def read(body: bytes, headers: Mapping[str, str], **but: Any) -> WebhookEvent:
    return await PayPal().webhooks(**but).parse(body, headers)
