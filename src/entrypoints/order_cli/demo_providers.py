"""What the demo plays with each provider: its test tokens, and the settings of its emulator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

SANDBOX: Final = "sandbox"


@dataclass(frozen=True, slots=True)
class Playground:
    """One provider in the demo."""

    settings: Callable[[str, str], Mapping[str, str]]
    """From the emulator's address and ours for events to the provider's settings."""
    secrets: Mapping[str, str]
    """What the emulator takes for the shop's keys, by its own names."""
    pays: str
    declined: str
    action: str
    """The buyer must act."""
    how_to_act: str
    """What to do about it; `%(emulator)s` is the emulator's address."""
    charge: str
    """The request that takes money, as faults are ordered for it."""


@dataclass(frozen=True, slots=True)
class Pretence:
    """The emulator of this demo, and where it stands."""

    provider: str
    playground: Playground
    host: str
    port: int
    events: str
    """Where its events go."""

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"


_ACT: Final = (
    """curl %(emulator)s/_emulator/act -d '{"reference": "REFERENCE", "decision": "approve"}'"""
)

PLAYGROUNDS: Final[Mapping[str, Playground]] = {
    "stripe": Playground(
        settings=lambda base, _: {
            "STRIPE_API_KEY": "sk_test_demo",
            "STRIPE_WEBHOOK_SECRET": "whsec_demo",
            "STRIPE_API_BASE": base,
        },
        secrets={"api_key": "sk_test_demo", "webhook_secret": "whsec_demo"},
        pays="pm_card_visa",
        declined="pm_card_chargeDeclined",
        action="pm_card_authenticationRequired",
        how_to_act=f"{_ACT}\nREFERENCE is the client_secret up to _secret",
        charge="POST /v1/payment_intents",
    ),
    "square": Playground(
        settings=lambda base, events: {
            "SQUARE_ACCESS_TOKEN": "square-demo-token",
            "SQUARE_LOCATION_ID": "LDEMO",
            "SQUARE_CURRENCY": "USD",
            "SQUARE_API_BASE": base,
            "SQUARE_WEBHOOK_SIGNATURE_KEY": "square-demo-signature-key",
            "SQUARE_WEBHOOK_URL": events,
        },
        secrets={
            "access_token": "square-demo-token",
            "location_id": "LDEMO",
            "currency": "USD",
            "signature_key": "square-demo-signature-key",
        },
        pays="ccof:customer-card-id-ok",
        declined="ccof:customer-card-id-declined",
        action="bnon:bank-nonce-ok",
        how_to_act=f"{_ACT}\nREFERENCE stands in the ledger",
        charge="POST /v2/payments",
    ),
}
