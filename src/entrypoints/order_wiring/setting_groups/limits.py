"""How often somebody may ask, and how often he may fail."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator, SecretStr

from order_limits import Rate
from order_wiring import setting_values as value
from order_wiring.setting_groups.group import Contradictions, SettingGroup

_REST: Final = ("rate_limit_address", "rate_limit_failures", "rate_limit_declines")

AnyRate = Annotated[Rate, BeforeValidator(Rate.parse)]


class LimitSettings(SettingGroup):
    """A page that asks for its order every second, in three tabs, is nobody's attack."""

    rate_limit: AnyRate = Rate(600, 60)
    rate_limit_address: AnyRate = Rate(6_000, 60)
    rate_limit_failures: AnyRate = Rate(30, 60)
    rate_limit_declines: AnyRate = Rate(10, 3_600)
    rate_limit_storage: Annotated[SecretStr, BeforeValidator(value.count_storage)] = SecretStr(
        "memory://"
    )


def contradictions(given: Mapping[str, str]) -> Contradictions:
    """A limit that would hold, if all were not switched off."""
    if given.get("rate_limit") == "off":
        for name in _REST:
            if given.get(name, "off") != "off":
                yield name, "does not hold while ORDER_CORE_RATE_LIMIT=off switches all limits off"
