"""Stripe as a plugin: its settings, and how it is built from them."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from order_core.ports.gateway_plugin import GatewayPlugin, SettingsInvalid, SettingSpec
from order_stripe.asking import Asking
from order_stripe.event_log import StripeEventLog
from order_stripe.gateway import StripeGateway
from order_stripe.http_client import httpx_client, stripe_client
from order_stripe.webhooks import StripeWebhooks

SETTINGS: Final = (
    SettingSpec("STRIPE_API_KEY", "secret or restricted key, sk_... or rk_...", secret=True),
    SettingSpec(
        "STRIPE_WEBHOOK_SECRET", "signing secret of the webhook endpoint, whsec_...", secret=True
    ),
    SettingSpec(
        "STRIPE_ACCOUNT",
        "name of the account, for a shop that ever has several",
        default="default",
    ),
    SettingSpec("STRIPE_API_BASE", "another address than Stripe's own, for tests"),
)

_KEY: Final = re.compile(r"[sr]k_(test|live)_[A-Za-z0-9_]{1,300}", re.ASCII)
_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9_+/=]{1,300}", re.ASCII)
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

_HERE: Final = {"127.0.0.1", "::1", "localhost"}


def build(settings: Mapping[str, str]) -> GatewayPlugin:
    """The Stripe gateway with Stripe's record of events, and their reader if a secret is set.

    Raises:
        SettingsInvalid: with every setting that is wrong.
    """
    mistakes: list[tuple[str, str]] = []
    known = {spec.name for spec in SETTINGS}
    mistakes += [(name, "is no setting of stripe") for name in settings if name not in known]
    api_key = settings.get("STRIPE_API_KEY", "")
    key = _KEY.fullmatch(api_key)
    if key is None:
        mistakes.append(("STRIPE_API_KEY", "must be like sk_test_..., sk_live_... or rk_..."))
    secret = settings.get("STRIPE_WEBHOOK_SECRET", "")
    if secret and not _SECRET.fullmatch(secret):
        mistakes.append(("STRIPE_WEBHOOK_SECRET", "must be like whsec_..."))
    account = settings.get("STRIPE_ACCOUNT", "default")
    if not _ACCOUNT.fullmatch(account):
        mistakes.append(("STRIPE_ACCOUNT", "must be 1 to 64 letters, digits, _ or -"))
    api_base = settings.get("STRIPE_API_BASE", "")
    if api_base and not _is_base(api_base):
        mistakes.append(
            ("STRIPE_API_BASE", "must be https (http on this machine only), without a path")
        )
    if mistakes or key is None:
        raise SettingsInvalid(mistakes)
    http = httpx_client()
    client = stripe_client(api_key, http, api_base.rstrip("/") or None)
    gateway = StripeGateway(
        client,
        # Test and live mode know nothing of each other.
        account=f"{key[1]}:{account}",
        close=http.aclose,
    )
    livemode = key[1] == "live"
    webhooks = None
    if secret:
        refunds_of = Asking(client).refunds_of
        webhooks = StripeWebhooks(secret, livemode=livemode, refunds_of=refunds_of)
    return GatewayPlugin(gateway, SETTINGS, webhooks, StripeEventLog(client, livemode=livemode))


def _is_base(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    # The key goes along with every request, so it leaves this machine only encrypted.
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
    return safe and bool(parts.hostname) and plain
