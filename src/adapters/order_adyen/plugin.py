"""Adyen as a plugin: its settings, and how it is built from them."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from order_core.ports.gateway_plugin import GatewayPlugin, SettingsInvalid, SettingSpec

TEST: Final = "https://checkout-test.adyen.com/v72"

SETTINGS: Final = (
    SettingSpec("ADYEN_API_KEY", "API key of the web service user", secret=True),
    SettingSpec("ADYEN_MERCHANT_ACCOUNT", "the merchant account that is paid"),
    SettingSpec(
        "ADYEN_API_BASE",
        "address of the Checkout API with its version; live has a prefix of its own",
        default=TEST,
    ),
    SettingSpec(
        "ADYEN_HMAC_KEY",
        "hexadecimal key of the standard webhook; without it there are no webhooks",
        secret=True,
    ),
)
_RULES: Final = {
    "ADYEN_API_KEY": (re.compile(r"[!-~]{1,512}"), "must be set, without spaces"),
    "ADYEN_MERCHANT_ACCOUNT": (re.compile(r"[A-Za-z0-9_.-]{1,128}"), "must be set to its name"),
    "ADYEN_HMAC_KEY": (re.compile(r"([0-9A-Fa-f]{64})?"), "must be 64 hexadecimal digits"),
}


def build(settings: Mapping[str, str]) -> GatewayPlugin:
    """The gateway of one Adyen merchant account, and the reader of its events.

    Raises:
        SettingsInvalid: with every setting that is wrong; secrets are not repeated.
    """
    known = {spec.name: spec.default or "" for spec in SETTINGS}
    values = {**known, **settings}
    mistakes = [(name, "is no setting of Adyen") for name in settings if name not in known]
    mistakes += [
        (name, because)
        for name, (form, because) in _RULES.items()
        if not form.fullmatch(values[name])
    ]
    if not _is_api_base(values["ADYEN_API_BASE"]):
        mistakes.append(("ADYEN_API_BASE", "must be an https address (http only on this machine)"))
    if mistakes:
        raise SettingsInvalid(mistakes)
    return _built(values)


def _is_api_base(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    local = host in {"127.0.0.1", "localhost", "::1"}
    safe = parts.scheme == "https" or (parts.scheme == "http" and local)
    return bool(host) and safe and not (parts.query or parts.fragment or parts.username)


def _built(values: Mapping[str, str]) -> GatewayPlugin:
    # The SDK is loaded only by a service that uses Adyen.
    from order_adyen.client import checkout_api  # noqa: PLC0415
    from order_adyen.connection import Connection  # noqa: PLC0415
    from order_adyen.gateway import CALL_SECONDS, AdyenGateway  # noqa: PLC0415
    from order_adyen.webhooks import AdyenWebhooks  # noqa: PLC0415

    base, merchant = values["ADYEN_API_BASE"].rstrip("/"), values["ADYEN_MERCHANT_ACCOUNT"]
    gateway = AdyenGateway(
        checkout_api(values["ADYEN_API_KEY"], base, Connection(CALL_SECONDS)),
        merchant=merchant,
        account=f"{merchant}@{urlsplit(base).netloc}",
    )
    key = values["ADYEN_HMAC_KEY"]
    webhooks = AdyenWebhooks(hmac_key=key, merchant=merchant) if key else None
    return GatewayPlugin(gateway, webhooks=webhooks, settings=SETTINGS)
