"""How the prices that clients claim are checked."""

from typing import Annotated

from pydantic import BeforeValidator

from order_wiring import setting_values as value
from order_wiring.setting_groups.group import SettingGroup


class PricingSettings(SettingGroup):
    """Without a choice nothing is served: no default could be right for every shop."""

    prices: Annotated[str, BeforeValidator(value.prices)] | None = None
