"""What the demo plays with each provider: its test tokens, and the settings of its emulator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SANDBOX: Final = "sandbox"


@dataclass(frozen=True, slots=True)
class Playground:
    """One provider in the demo.

    `@` in a text stands for the emulator's address.
    """

    settings: Callable[["Pretence"], Mapping[str, str]]
    """What the provider's plugin is built from."""
    secrets: Mapping[str, str]
    """What the emulator takes for the shop's keys, by its own names."""
    pays: str
    declined: str
    waits: str
    """The payment waits for somebody's decision."""
    whose_decision: str
    how_to_decide: str
    takes_money: str
    """The request that takes the money, as faults are ordered for it."""
    root_certificate: str | None = None
    """Where the emulator shows whom its events' certificates come from."""


@dataclass(frozen=True, slots=True)
class Pretence:
    """The emulator of this demo, and where it stands."""

    provider: str
    playground: Playground
    host: str
    port: int
    events: str
    """Where its events go."""
    folder: Path
    """What is kept as long as the demo runs."""

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def root_certificate_file(self) -> Path:
        return self.folder / "root.pem"


_DECIDE: Final = """curl @/_emulator/act -d '{"reference": "REFERENCE", "decision": "approve"}'\n"""

PLAYGROUNDS: Final[Mapping[str, Playground]] = {
    "stripe": Playground(
        settings=lambda pretence: {
            "STRIPE_API_KEY": "sk_test_demo",
            "STRIPE_WEBHOOK_SECRET": "whsec_demo",
            "STRIPE_API_BASE": pretence.address,
        },
        secrets={"api_key": "sk_test_demo", "webhook_secret": "whsec_demo"},
        pays="pm_card_visa",
        declined="pm_card_visa_chargeDeclined",
        waits="pm_card_authenticationRequired",
        whose_decision="the buyer must approve",
        how_to_decide=f"{_DECIDE}REFERENCE is payment.action.client_secret up to _secret",
        takes_money="POST /v1/payment_intents",
    ),
    "paypal": Playground(
        settings=lambda pretence: {
            "PAYPAL_CLIENT_ID": "paypal-demo-client",
            "PAYPAL_CLIENT_SECRET": "paypal-demo-secret",
            "PAYPAL_WEBHOOK_ID": "DEMOWEBHOOK",
            "PAYPAL_API_BASE": pretence.address,
            "PAYPAL_WEBHOOK_CA_FILE": str(pretence.root_certificate_file),
        },
        secrets={
            "client_id": "paypal-demo-client",
            "client_secret": "paypal-demo-secret",
            "webhook_id": "DEMOWEBHOOK",
        },
        pays="vault:paypal:ok",
        declined="vault:paypal:INSTRUMENT_DECLINED",
        waits="vault:paypal:PAYER_ACTION_REQUIRED",
        whose_decision="the buyer must approve",
        how_to_decide=f"{_DECIDE}REFERENCE is the token at the end of payment.action.url",
        takes_money="POST /v2/checkout/orders/{id}/capture",
        root_certificate="/_emulator/ca.pem",
    ),
    "square": Playground(
        settings=lambda pretence: {
            "SQUARE_ACCESS_TOKEN": "square-demo-token",
            "SQUARE_LOCATION_ID": "LDEMO",
            "SQUARE_CURRENCY": "USD",
            "SQUARE_API_BASE": pretence.address,
            "SQUARE_WEBHOOK_SIGNATURE_KEY": "square-demo-signature-key",
            "SQUARE_WEBHOOK_URL": pretence.events,
        },
        secrets={
            "access_token": "square-demo-token",
            "location_id": "LDEMO",
            "currency": "USD",
            "signature_key": "square-demo-signature-key",
        },
        pays="ccof:customer-card-id-ok",
        declined="ccof:customer-card-id-declined",
        waits="bnon:bank-nonce-ok",
        whose_decision="the bank takes its time",
        how_to_decide=f"{_DECIDE}REFERENCE is provider_reference in what staff sees of the order",
        takes_money="POST /v2/payments",
    ),
}
