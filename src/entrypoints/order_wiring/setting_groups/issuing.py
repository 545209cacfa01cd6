"""The embedded issuer: whether there is one, what it is called, and how long its tokens live."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr

from order_wiring import setting_values as value
from order_wiring.setting_groups.group import DAY_SECONDS, Contradictions, SettingGroup, duration

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _issuer(text: str) -> str:
    found = value.origins(text)
    parts = urlsplit(found[0])
    if len(found) > 1 or (parts.scheme == "http" and parts.hostname not in _LOOPBACK):
        raise ValueError("must be one origin with https, such as https://shop.example")
    return found[0]


class IssuingSettings(SettingGroup):
    """Off unless somebody wants it: most shops have an identity provider."""

    oauth: Annotated[bool, BeforeValidator(value.switch)] = False
    oauth_issuer: Annotated[str, BeforeValidator(_issuer)] | None = None
    oauth_key_secret: Annotated[SecretStr, BeforeValidator(value.secret)] | None = None
    oauth_access_lifetime: Annotated[timedelta, duration(60, 3_600)] = timedelta(minutes=10)
    oauth_refresh_idle: Annotated[timedelta, duration(60, 366 * DAY_SECONDS)] = timedelta(days=14)
    oauth_refresh_lifetime: Annotated[timedelta, duration(60, 366 * DAY_SECONDS)] = timedelta(
        days=90
    )


def is_on(given: Mapping[str, str]) -> bool:
    """Whether there is an embedded issuer."""
    try:
        return value.switch(given.get("oauth", "0"))
    except ValueError:
        return False  # Named as a mistake already.


def contradictions(given: Mapping[str, str]) -> Contradictions:
    """An issuer without a secret or a name, or one whose name somebody else has."""
    if not is_on(given):
        return
    if "oauth_key_secret" not in given:
        yield (
            "oauth_key_secret",
            (
                "must be set while ORDER_CORE_OAUTH=1 (make one: openssl rand -hex 32): it "
                "encrypts the keys that sign tokens"
            ),
        )
    if "oauth_issuer" not in given and not _is_loopback(given.get("host", "127.0.0.1")):
        yield (
            "oauth_issuer",
            (
                "must be set while ORDER_CORE_OAUTH=1: the origin at which clients reach this "
                "service, such as https://shop.example"
            ),
        )
    others = {given.get("jwt_issuer"), given.get("oidc_issuer")} - {None}
    if given.get("oauth_issuer") in others:
        yield "oauth_issuer", "is the name of another issuer that is trusted; it must have its own"


def _is_loopback(host: str) -> bool:
    return host.strip("[]") in _LOOPBACK
