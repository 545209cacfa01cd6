"""Which pages a buyer may be sent back to."""

import re
from typing import Final
from urllib.parse import urlsplit

from order_core.errors import InvalidValue

LONGEST_RETURN_URL: Final = 2048
_FIELD: Final = ("return_url",)
# Browsers repair what is not a URL: a backslash or a tab would move the host.
_URL_CHARACTERS: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORT: Final = {"https": 443, "http": 80}


def checked_return_url(url: str, allowed_origins: tuple[str, ...]) -> str:
    """`url` itself, when its origin is allowed.

    Raises:
        InvalidValue: not an absolute https URL (http for this machine), or of another origin.
    """
    origin = _origin(url)
    if origin is None:
        raise InvalidValue(_FIELD, "not_a_return_url", "must be an absolute https URL")
    if origin not in map(_origin, allowed_origins):
        raise InvalidValue(_FIELD, "origin_not_allowed", "must be of an allowed origin")
    return url


def _origin(url: str) -> tuple[str, str, int] | None:
    if len(url) > LONGEST_RETURN_URL or not _URL_CHARACTERS.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc:
        return None
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        return None
    return parts.scheme, host, port or _DEFAULT_PORT[parts.scheme]
