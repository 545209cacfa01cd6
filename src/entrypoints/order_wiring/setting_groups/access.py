"""Whose tokens are believed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, SecretStr

from order_wiring import setting_values as value
from order_wiring.setting_groups.group import Contradictions, SettingGroup

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


def contradictions(given: Mapping[str, str]) -> Contradictions:
    """Two sources of keys; an issuer of which it is not said whom it must mean."""
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
