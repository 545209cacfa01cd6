"""PayPal as a plugin: its settings, and how it is built from them."""

import contextlib
import hashlib
import re
import warnings
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from order_core.ports.gateway_plugin import GatewayPlugin, SettingsInvalid, SettingSpec
from order_paypal.certificates import (
    LIVE_HOSTS,
    LIVE_NAME,
    SANDBOX_HOSTS,
    SANDBOX_NAME,
    Certificates,
)
from order_paypal.event_log import PayPalEventLog
from order_paypal.gateway import PayPalGateway
from order_paypal.transport import PayPalTransport
from order_paypal.webhooks import PayPalWebhooks

SETTINGS: Final = (
    SettingSpec("PAYPAL_CLIENT_ID", "client id of the REST app at PayPal"),
    SettingSpec("PAYPAL_CLIENT_SECRET", "its secret", secret=True),
    SettingSpec("PAYPAL_WEBHOOK_ID", "id of the app's webhook; without it events are not taken"),
    SettingSpec(
        "PAYPAL_API_BASE",
        "https://api-m.sandbox.paypal.com for the sandbox, or an emulator on this machine",
        default="https://api-m.paypal.com",
    ),
    SettingSpec("PAYPAL_WEBHOOK_CA_FILE", "whom an emulator's webhook certificates come from"),
)

_SLOTS: Final = 16
_PEM: Final = re.compile(b"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
_LONGEST: Final = 500


def build(settings: Mapping[str, str]) -> GatewayPlugin:
    """The gateway of one PayPal account, its list of events, and its webhooks if their id is set.

    Raises:
        SettingsInvalid: with every setting that is wrong.
    """
    known = {spec.name: spec.default or "" for spec in SETTINGS}
    values = {**known, **settings}
    mistakes = [
        (name, "is no setting of PayPal")
        for name in settings
        if name not in known and name != "PAYPAL"
    ]
    mistakes += [
        (name, "must be set, to printable ASCII without spaces")
        for name in ("PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET")
        if not _is_plain(values[name])
    ]
    if values["PAYPAL_WEBHOOK_ID"] and not _is_plain(values["PAYPAL_WEBHOOK_ID"]):
        mistakes.append(("PAYPAL_WEBHOOK_ID", "must be printable ASCII without spaces"))
    base = _base(values["PAYPAL_API_BASE"], mistakes)
    takes_events = bool(values["PAYPAL_WEBHOOK_ID"] or values["PAYPAL_WEBHOOK_CA_FILE"])
    roots = _roots(values["PAYPAL_WEBHOOK_CA_FILE"], base, mistakes) if takes_events else []
    if mistakes:
        raise SettingsInvalid(mistakes)
    transport = PayPalTransport(
        client_id=values["PAYPAL_CLIENT_ID"],
        client_secret=values["PAYPAL_CLIENT_SECRET"],
        endpoint=base,
        connections=_SLOTS,
    )
    gateway = PayPalGateway(
        transport, account=_account(base, values["PAYPAL_CLIENT_ID"]), slots=_SLOTS
    )
    webhooks = None
    if values["PAYPAL_WEBHOOK_ID"]:
        webhooks = PayPalWebhooks(values["PAYPAL_WEBHOOK_ID"], _certificates(base, roots))
    # PayPal lists what it told this app, whoever was to hear it: no webhook id is needed.
    event_log = PayPalEventLog(gateway.threads, _addresses(base))
    return GatewayPlugin(gateway, SETTINGS, webhooks, event_log)


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable() and " " not in text


def _base(text: str, mistakes: list[tuple[str, str]]) -> str:
    base = text.rstrip("/")
    try:
        parts = urlsplit(base)
        host = parts.hostname or ""
        plain = base == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
    except ValueError:
        host, plain = "", False
    # Without TLS the secret and the money's answers would be anybody's, but on this machine.
    if not (plain and host and (base.startswith("https://") or _is_this_machine(base))):
        mistakes.append(
            (
                "PAYPAL_API_BASE",
                "must be like https://api-m.paypal.com; http is only for 127.0.0.1 and localhost",
            )
        )
    return base


def _is_this_machine(base: str) -> bool:
    parts = urlsplit(base)
    if parts.scheme != "http":
        return False
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def _addresses(base: str) -> frozenset[str]:
    """Under which PayPal may write links to itself: each mode has two names for one place."""
    for hosts in (LIVE_HOSTS, SANDBOX_HOSTS):
        if base.lower() in (addresses := frozenset(f"https://{host}" for host in hosts)):
            return addresses
    return frozenset({base})


def _account(base: str, client_id: str) -> str:
    # The id is no secret, yet it is long: a digest tells accounts apart as well.
    digest = hashlib.sha256(client_id.encode()).hexdigest()[:12]
    return f"{urlsplit(base).netloc}:{digest}"


def _roots(path: str, base: str, mistakes: list[tuple[str, str]]) -> list[x509.Certificate]:
    name = "PAYPAL_WEBHOOK_CA_FILE"
    if path and not _is_this_machine(base):
        mistakes.append((name, "is only for an emulator on this machine"))
        return []
    try:
        roots = _certificates_in(Path(path or DEFAULT_CA_BUNDLE_PATH).read_bytes())
    except OSError as error:
        mistakes.append((name, f"cannot be read: {type(error).__name__}"))
        return []
    if not roots:
        mistakes.append((name, "holds no certificate"))
    return roots


def _certificates_in(bundle: bytes) -> list[x509.Certificate]:
    roots: list[x509.Certificate] = []
    with warnings.catch_warnings():
        # Old authorities break rules of today (a serial number of zero). One that cannot be
        # read must not take the others with it.
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        for block in _PEM.findall(bundle):
            with contextlib.suppress(ValueError, CryptographyDeprecationWarning):
                roots.append(x509.load_pem_x509_certificate(block))
    return roots


def _certificates(base: str, roots: list[x509.Certificate]) -> Certificates:
    if urlsplit(base).hostname in LIVE_HOSTS:
        return Certificates(roots=roots, name=LIVE_NAME, hosts=LIVE_HOSTS)
    emulator = base if _is_this_machine(base) else None
    return Certificates(roots=roots, name=SANDBOX_NAME, hosts=SANDBOX_HOSTS, emulator=emulator)
