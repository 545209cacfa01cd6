"""The sandbox as a plugin: its settings, and how it is built from them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from order_core.ports.gateway_plugin import GatewayPlugin, SettingsInvalid, SettingSpec
from order_sandbox.gateway import SandboxGateway
from order_sandbox.ledger import LedgerBusy, SandboxLedger

SETTINGS: Final = (
    SettingSpec("SANDBOX", "1 switches the pretended provider on", default="0"),
    SettingSpec("SANDBOX_LEDGER", "file of its books", default="sandbox.sqlite3"),
    SettingSpec(
        "SANDBOX_HANG_SECONDS", "how long it waits where nobody answers, 0 to 10", default="2"
    ),
    SettingSpec(
        "SANDBOX_SETTLE_SECONDS",
        "how long a pending payment takes, 0 to 86400",
        default="5",
    ),
    SettingSpec(
        "SANDBOX_PUBLIC_URL",
        "where buyers reach the page that asks them to approve",
        default="http://127.0.0.1:8000",
    ),
)


def build(settings: Mapping[str, str]) -> GatewayPlugin:
    """The sandbox gateway, with its books open.

    Raises:
        SettingsInvalid: with every setting that is wrong.
    """
    known = {spec.name: spec.default or "" for spec in SETTINGS}
    values = {**known, **settings}
    mistakes = [(name, "is no setting of the sandbox") for name in settings if name not in known]
    if values["SANDBOX"] not in {"0", "1"}:
        mistakes.append(("SANDBOX", "must be 0 or 1"))
    hang = _seconds(values, "SANDBOX_HANG_SECONDS", 10, mistakes)
    settle = _seconds(values, "SANDBOX_SETTLE_SECONDS", 86400, mistakes)
    public_url = _url(values, "SANDBOX_PUBLIC_URL", mistakes)
    path = Path(values["SANDBOX_LEDGER"])
    if not values["SANDBOX_LEDGER"] or path.is_dir() or not path.parent.is_dir():
        mistakes.append(("SANDBOX_LEDGER", "must be a file in a folder that exists"))
    if mistakes:
        raise SettingsInvalid(mistakes)
    ledger = SandboxLedger(path, public_url=public_url, settle_seconds=settle)
    try:
        gateway = SandboxGateway(ledger, hang_seconds=hang)
    except LedgerBusy as error:
        raise SettingsInvalid([("SANDBOX_LEDGER", f"cannot be used: {error}")]) from error
    return GatewayPlugin(gateway, settings=SETTINGS)


def _seconds(
    values: Mapping[str, str], name: str, most: int, mistakes: list[tuple[str, str]]
) -> float:
    try:
        seconds = float(values[name])
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= most:
        mistakes.append((name, f"must be a number of seconds from 0 to {most}"))
    return seconds


def _url(values: Mapping[str, str], name: str, mistakes: list[tuple[str, str]]) -> str:
    try:
        parts = urlsplit(values[name])
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        plain = not (parts.query or parts.fragment)
    except ValueError:
        usable = plain = False
    if not (usable and plain):
        mistakes.append((name, "must be an http or https address without ? and #"))
    return values[name].rstrip("/")
