"""Where the service listens, where it keeps the orders, and how much it takes."""

import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, SecretStr

from order_wiring import setting_values as value
from order_wiring.setting_groups.group import Contradictions, SettingGroup, duration

_LEAST_CONNECTIONS: Final = 4


class ForwardingHeader(StrEnum):
    """Where the proxies in front write down for whom they ask."""

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


class ServingSettings(SettingGroup):
    """What a process needs to be there at all."""

    database_url: Annotated[SecretStr, BeforeValidator(value.database_url)] = SecretStr(
        "sqlite+aiosqlite:///./order-core.sqlite3"
    )
    database_connections: Annotated[int, BeforeValidator(value.whole_number(4, 10_000))] = 32
    host: Annotated[str, BeforeValidator(value.ip_address)] = "127.0.0.1"
    port: Annotated[int, BeforeValidator(value.whole_number(1, 65_535))] = 8000
    tls_cert_file: Annotated[Path, BeforeValidator(value.readable_file)] | None = None
    tls_key_file: Annotated[Path, BeforeValidator(value.readable_file)] | None = None
    allow_http: Annotated[bool, BeforeValidator(value.switch)] = False
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(value.networks)] = ()
    forwarding_header: Annotated[
        ForwardingHeader, BeforeValidator(value.one_of(ForwardingHeader))
    ] = ForwardingHeader.X_FORWARDED_FOR
    workers: Annotated[int, BeforeValidator(value.whole_number(1, 64))] = 1
    max_connections: Annotated[int, BeforeValidator(value.whole_number(16, 1_000_000))] = 16_384
    idle_timeout: Annotated[timedelta, duration(0.1, 600)] = timedelta(seconds=30)
    cors_origins: value.Origins = ()
    max_body_bytes: Annotated[int, BeforeValidator(value.whole_number(1_024, 64 * 1_024**2))] = (
        1_024**2
    )
    log_level: Annotated[str, BeforeValidator(value.log_level)] = "info"
    shutdown_grace: Annotated[timedelta, duration(0, 3_600)] = timedelta(seconds=30)

    @property
    def connections_of_a_process(self) -> int:
        """Its part of `database_connections`; four at least, of which some may wait for locks."""
        return max(_LEAST_CONNECTIONS, self.database_connections // self.workers)

    @property
    def scheme(self) -> str:
        """How this process itself is spoken to: `https` if it has a certificate."""
        return "https" if self.tls_cert_file else "http"


def contradictions(given: Mapping[str, str]) -> Contradictions:
    """Half a certificate; a door to the world without a lock."""
    pair = {"tls_cert_file": "TLS_KEY_FILE", "tls_key_file": "TLS_CERT_FILE"}
    present = pair.keys() & given.keys()
    if len(present) == 1:
        name = present.pop()
        yield name, f"needs ORDER_CORE_{pair[name]} beside it: a certificate and its private key"
    if not present and "host" in given and _is_reachable(given["host"]) and not _allows_http(given):
        because = (
            "must be an address of this machine alone, such as 127.0.0.1, while nothing encrypts "
            "what is said: set ORDER_CORE_TLS_CERT_FILE and ORDER_CORE_TLS_KEY_FILE, or, if only "
            "a proxy of yours that speaks HTTPS can reach this service, ORDER_CORE_ALLOW_HTTP=1; "
            f"got {given['host'][: value.LONGEST_SHOWN]!r}"
        )
        yield "host", because


def _is_reachable(host: str) -> bool:
    try:
        return not ipaddress.ip_address(value.ip_address(host)).is_loopback
    except ValueError:
        return False  # Named as a mistake already.


def _allows_http(given: Mapping[str, str]) -> bool:
    try:
        return value.switch(given.get("allow_http", "0"))
    except ValueError:
        return True  # Named as a mistake already.
