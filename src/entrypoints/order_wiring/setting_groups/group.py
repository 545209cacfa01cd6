"""What the groups of settings have in common."""

from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

from order_wiring import setting_values as value

DAY_SECONDS: Final = 86_400

Contradictions = Iterator[tuple[str, str]]
"""The field that is to be mended, and why: a clause that follows "ORDER_CORE_X: "."""


class SettingGroup(BaseModel):
    """Some of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def duration(low_seconds: int, high_seconds: int) -> BeforeValidator:
    """A time that is given in seconds, and lies between the two."""
    return BeforeValidator(value.seconds(low_seconds, high_seconds))
