"""How connections come in: over what, how many, and how long one may say nothing."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from granian.constants import HTTPModes, SSLProtocols
from granian.http import HTTP1Settings

from order_cli.granian_logs import GRANIAN_LOG_LEVEL, GRANIAN_LOGS
from order_cli.listening import address
from order_wiring.settings import Settings

_log: Final = logging.getLogger("order_core.serve")

_LONGEST_HEADERS: Final = 40 * 1024
"""Bytes kept of each connection; a little more than the service then reads."""
_WAITING: Final = 2_048
_FILES_FOR_OTHERS: Final = 512
"""Kept free for the database, the providers, and everything else that is opened."""


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """Where the server listens, and its bounds."""

    host: str
    port: int
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    max_connections: int = 1_024
    idle_timeout_seconds: float = 30.0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As configured, with no more connections than this process may have open files."""
        return cls(
            settings.host,
            settings.port,
            settings.tls_cert_file,
            settings.tls_key_file,
            _connections_that_fit(settings.max_connections),
            settings.idle_timeout.total_seconds(),
        )

    @property
    def url(self) -> str:
        """What clients on this machine would say."""
        return f"http{'s' if self.tls_cert_file else ''}://{address(self.host, self.port)}"

    def for_granian(self) -> dict[str, Any]:
        """The same, as Granian's servers take it."""
        return {
            "address": self.host,
            "port": self.port,
            # HTTP/2 has ways of its own to be abused, and nobody needs it in front of an API of
            # small answers. While both were spoken, a connection that said nothing at all was
            # kept for ever.
            "http": HTTPModes.http1,
            "http1_settings": HTTP1Settings(
                # Also between two requests of one connection.
                header_read_timeout=round(self.idle_timeout_seconds * 1_000),
                max_buffer_size=_LONGEST_HEADERS,
            ),
            "websockets": False,
            "backlog": _WAITING,
            # Connections, not requests: by default so few that idle ones would fill them all.
            "backpressure": self.max_connections,
            "ssl_cert": self.tls_cert_file,
            "ssl_key": self.tls_key_file,
            # Its TLS 1.2 knows only forward secrecy with AEAD.
            "ssl_protocol_min": SSLProtocols.tls12,
            "log_level": GRANIAN_LOG_LEVEL,
            "log_dictconfig": GRANIAN_LOGS,
        }


def _connections_that_fit(wanted: int) -> int:
    try:
        import resource
    except ImportError:
        return wanted  # Not a Unix: there is no such bound.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _FILES_FOR_OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    may = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, may), hard))
    except (OSError, ValueError):
        may = soft  # Some systems permit less than they say.
    if may >= needed:
        return wanted
    fit = max(may - _FILES_FOR_OTHERS, 16)
    _log.warning(
        "only %d connections at a time, not %d: this process may open %d files", fit, wanted, may
    )
    return fit
