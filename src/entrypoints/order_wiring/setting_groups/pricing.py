"""How the prices that clients claim are checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, SecretStr

from order_wiring import setting_values as value
from order_wiring.setting_groups.group import Contradictions, SettingGroup

WAYS: Final = (
    "catalogue:FILE (your prices are in a file), signed (your backend signs quotes) or trust "
    "(every claim is believed, which is right only if no buyer can reach this service except "
    "through your own backend)"
)
_CATALOGUE: Final = "catalogue:"


def _way(text: str) -> str:
    if text in {"signed", "trust"} or text.removeprefix(_CATALOGUE) not in {"", text}:
        return text
    raise ValueError(f"must be {WAYS}")


class PricingSettings(SettingGroup):
    """Without a choice nothing is served: no default could be right for every shop."""

    prices: Annotated[str, BeforeValidator(_way)] | None = None
    quote_secret: Annotated[SecretStr, BeforeValidator(value.secret)] | None = None
    quote_public_key_file: Annotated[Path, BeforeValidator(value.readable_file)] | None = None

    @property
    def catalogue_file(self) -> Path | None:
        """Where the prices are, if they are in a file."""
        way = self.prices or ""
        return Path(way.removeprefix(_CATALOGUE)) if way.startswith(_CATALOGUE) else None


def contradictions(given: Mapping[str, str]) -> Contradictions:
    """Two keys of quotes, or one that opens another door too."""
    if "quote_secret" not in given:
        return
    if "quote_public_key_file" in given:
        yield "quote_secret", "cannot be set together with ORDER_CORE_QUOTE_PUBLIC_KEY_FILE"
    if given["quote_secret"] == given.get("jwt_secret"):
        because = "must not be ORDER_CORE_JWT_SECRET: whoever lets people in would set prices too"
        yield "quote_secret", because
