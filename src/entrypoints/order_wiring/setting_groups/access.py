"""Whose tokens are believed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from order_wiring import setting_values as value
from order_wiring.setting_groups.group import Contradictions, SettingGroup


class AccessSettings(SettingGroup):
    """The keys that prove tokens, and what tokens must claim."""

    jwt_secret: Annotated[SecretStr, BeforeValidator(value.secret)] | None = None
    jwt_public_key_file: Annotated[Path, BeforeValidator(value.readable_file)] | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None


def contradictions(given: Mapping[str, str]) -> Contradictions:
    """Two sources of keys."""
    if "jwt_secret" in given and "jwt_public_key_file" in given:
        yield "jwt_secret", "cannot be set together with ORDER_CORE_JWT_PUBLIC_KEY_FILE"
