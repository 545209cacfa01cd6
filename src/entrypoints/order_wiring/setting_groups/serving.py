"""Where the service listens, where it keeps the orders, and how much it takes."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from order_wiring import setting_values as value
from order_wiring.setting_groups.group import SettingGroup, duration


class ServingSettings(SettingGroup):
    """What a process needs to be there at all."""

    database_url: Annotated[SecretStr, BeforeValidator(value.database_url)] = SecretStr(
        "sqlite+aiosqlite:///./order-core.sqlite3"
    )
    host: Annotated[str, BeforeValidator(value.ip_address)] = "127.0.0.1"
    port: Annotated[int, BeforeValidator(value.whole_number(1, 65_535))] = 8000
    workers: Annotated[int, BeforeValidator(value.whole_number(1, 64))] = 1
    cors_origins: value.Origins = ()
    max_body_bytes: Annotated[int, BeforeValidator(value.whole_number(1_024, 64 * 1_024**2))] = (
        1_024**2
    )
    log_level: Annotated[str, BeforeValidator(value.log_level)] = "info"
    shutdown_grace: Annotated[timedelta, duration(0, 3_600)] = timedelta(seconds=30)
