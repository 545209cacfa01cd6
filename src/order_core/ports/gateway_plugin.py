"""What a payment provider's package hands over when it is switched on.

A package names its `build` function in the entry-point group `order_core.gateways`;
the entry point's name is the provider's name:

    def build(settings: Mapping[str, str]) -> GatewayPlugin: ...

`settings` are the environment variables `ORDER_CORE_<NAME>_*` (and `ORDER_CORE_<NAME>`),
without the `ORDER_CORE_` prefix.
"""

from dataclasses import dataclass

from order_core.ports.event_log import EventLog
from order_core.ports.payment_gateway import PaymentGateway
from order_core.ports.webhook_parser import WebhookParser


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """A setting that the plugin understands."""

    name: str
    meaning: str
    secret: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayPlugin:
    """A ready gateway, and the settings it was built from."""

    gateway: PaymentGateway
    settings: tuple[SettingSpec, ...] = ()
    webhooks: WebhookParser | None = None
    """None while no webhook secret is set: the provider's webhook address is then not there."""
    event_log: EventLog | None = None
    """None if the provider keeps no record of its events that could be read."""


class SettingsInvalid(ValueError):
    """Everything that is wrong with a plugin's settings: pairs of a name and what is wrong."""

    def __init__(self, mistakes: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {because}" for name, because in mistakes))
        self.mistakes = tuple(mistakes)
