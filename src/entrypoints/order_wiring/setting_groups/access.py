"""Whose tokens are believed."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, SecretStr

from order_wiring import setting_values as value
from order_wiring.setting_groups.group import Contradictions, SettingGroup, duration

KEY_SOURCES: Final = ("jwt_secret", "jwt_public_key_file", "oidc_issuer", "jwks_url")
"""Where the keys can come from. Only one of them may be set."""

_AUDIENCE: Final = (
    "needs ORDER_CORE_JWT_AUDIENCE beside it, the name that the issuer has for this service: "
    "without it, a token that was made for another service would be believed"
)


def _issuer(text: str) -> str:
    from order_jwt.addresses import checked_issuer

    return checked_issuer(text)


def _address(text: str) -> str:
    from order_jwt.addresses import checked_address

    return checked_address(text)


class AccessSettings(SettingGroup):
    """The keys that prove tokens, and what tokens must claim."""

    jwt_secret: Annotated[SecretStr, BeforeValidator(value.secret)] | None = None
    jwt_public_key_file: Annotated[Path, BeforeValidator(value.readable_file)] | None = None
    oidc_issuer: Annotated[str, BeforeValidator(_issuer)] | None = None
    jwks_url: Annotated[str, BeforeValidator(_address)] | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    introspection_url: Annotated[str, BeforeValidator(_address)] | None = None
    introspection_client_id: str | None = None
    introspection_client_secret: SecretStr | None = None
    introspection_max_age: Annotated[timedelta, duration(0, 300)] = timedelta(seconds=30)


def contradictions(given: Mapping[str, str]) -> Contradictions:
    """Two sources of keys; an issuer whose tokens may be for others, or that cannot be asked."""
    sources = [name for name in KEY_SOURCES if name in given]
    if len(sources) > 1:
        others = " or ".join(f"ORDER_CORE_{name.upper()}" for name in sources[1:])
        yield sources[0], f"cannot be set together with {others}"
    if "oidc_issuer" in given and "jwt_issuer" in given:
        yield "oidc_issuer", "cannot be set together with ORDER_CORE_JWT_ISSUER: it says it already"
    if "jwks_url" in given and "jwt_issuer" not in given:
        yield "jwks_url", "needs ORDER_CORE_JWT_ISSUER beside it: whose keys they are"
    for name in ("oidc_issuer", "jwks_url"):
        if name in given and "jwt_audience" not in given:
            yield name, _AUDIENCE
    yield from _of_introspection(given)


def _of_introspection(given: Mapping[str, str]) -> Contradictions:
    if "introspection_url" not in given:
        for name in given:
            if name.startswith("introspection_"):
                yield name, "does nothing without ORDER_CORE_INTROSPECTION_URL"
        return
    if given.keys().isdisjoint(KEY_SOURCES):
        yield (
            "introspection_url",
            (
                "needs the issuer beside it whose tokens are asked about, such as "
                "ORDER_CORE_OIDC_ISSUER"
            ),
        )
    for name in ("introspection_client_id", "introspection_client_secret"):
        if name not in given:
            yield (
                name,
                (
                    "must be set while ORDER_CORE_INTROSPECTION_URL is: an issuer answers only "
                    "clients that it knows"
                ),
            )
