"""Square as a plugin: its settings, and how it is built from them."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from order_core.ports.gateway_plugin import GatewayPlugin, SettingsInvalid, SettingSpec
from order_square.amounts import CURRENCIES

PRODUCTION: Final = "https://connect.squareup.com"

SETTINGS: Final = (
    SettingSpec("SQUARE_ACCESS_TOKEN", "access token of the Square application", secret=True),
    SettingSpec("SQUARE_LOCATION_ID", "the location that is paid"),
    SettingSpec("SQUARE_CURRENCY", "the location's currency; without it, Square itself refuses"),
    SettingSpec("SQUARE_API_BASE", "address of Square's API", default=PRODUCTION),
    SettingSpec(
        "SQUARE_WEBHOOK_SIGNATURE_KEY",
        "signature key of the webhook subscription; without it there are no webhooks",
        secret=True,
    ),
    SettingSpec(
        "SQUARE_WEBHOOK_URL",
        "notification address, byte for byte as in the subscription (Square signs it too)",
    ),
)

_LOCATION: Final = re.compile(r"[A-Za-z0-9_-]{1,50}")
_SECRET: Final = re.compile(r"[!-~]{1,512}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def build(settings: Mapping[str, str]) -> GatewayPlugin:
    """The gateway of one Square location, and the two ways in which its events are read.

    Raises:
        SettingsInvalid: with every setting that is wrong; secrets are not repeated.
    """
    known = {spec.name: spec.default or "" for spec in SETTINGS}
    values = {**known, **settings}
    mistakes = [(name, "is no setting of Square") for name in settings if name not in known]
    mistakes += _mistakes(values)
    if mistakes:
        raise SettingsInvalid(mistakes)
    return _built(values)


def _mistakes(values: Mapping[str, str]) -> list[tuple[str, str]]:
    key, url = values["SQUARE_WEBHOOK_SIGNATURE_KEY"], values["SQUARE_WEBHOOK_URL"]
    rules = (
        (
            "SQUARE_ACCESS_TOKEN",
            _SECRET.fullmatch(values["SQUARE_ACCESS_TOKEN"]),
            "must be set to the access token, without spaces",
        ),
        (
            "SQUARE_LOCATION_ID",
            _LOCATION.fullmatch(values["SQUARE_LOCATION_ID"]),
            "must be set to the location's id",
        ),
        (
            "SQUARE_CURRENCY",
            values["SQUARE_CURRENCY"] in {"", *CURRENCIES},
            f"must be one of {', '.join(sorted(CURRENCIES))}",
        ),
        (
            "SQUARE_API_BASE",
            _is_api_base(values["SQUARE_API_BASE"]),
            "must be an https address without user, path, ? and # (http only on this machine)",
        ),
        (
            "SQUARE_WEBHOOK_SIGNATURE_KEY",
            _SECRET.fullmatch(key) or not (key or url),
            "must be set, without spaces, when SQUARE_WEBHOOK_URL is",
        ),
        (
            "SQUARE_WEBHOOK_URL",
            url.startswith(("https://", "http://")) or not (key or url),
            "must be the subscription's address when SQUARE_WEBHOOK_SIGNATURE_KEY is set",
        ),
    )
    return [(name, because) for name, holds, because in rules if not holds]


def _is_api_base(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    plain = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)
    return bool(host) and safe and plain


def _built(values: Mapping[str, str]) -> GatewayPlugin:
    # The SDK takes a second to load, so only a service that uses Square does.
    from square import AsyncSquare  # noqa: PLC0415

    from order_square.connection import http_client  # noqa: PLC0415
    from order_square.event_log import SquareEventLog  # noqa: PLC0415
    from order_square.events import EventReader  # noqa: PLC0415
    from order_square.gateway import CALL_SECONDS, SquareGateway  # noqa: PLC0415
    from order_square.webhooks import SquareWebhooks  # noqa: PLC0415

    base_url = values["SQUARE_API_BASE"].rstrip("/")
    location_id = values["SQUARE_LOCATION_ID"]
    http = http_client(CALL_SECONDS)
    client = AsyncSquare(
        token=values["SQUARE_ACCESS_TOKEN"],
        base_url=base_url,
        httpx_client=http,
        timeout=CALL_SECONDS,
    )
    gateway = SquareGateway(
        client,
        location_id=location_id,
        # The address tells production from sandbox.
        account=f"{location_id}@{urlsplit(base_url).netloc}",
        currency=values["SQUARE_CURRENCY"] or None,
        close=http.aclose,
    )
    webhooks = None
    if values["SQUARE_WEBHOOK_SIGNATURE_KEY"]:
        webhooks = SquareWebhooks(
            signature_key=values["SQUARE_WEBHOOK_SIGNATURE_KEY"],
            url=values["SQUARE_WEBHOOK_URL"],
            location_id=location_id,
        )
    return GatewayPlugin(
        gateway,
        webhooks=webhooks,
        settings=SETTINGS,
        event_log=SquareEventLog(client, EventReader(location_id), location_id=location_id),
    )
