"""How the text of an environment variable becomes a value, and what is said if it does not.

Each reader raises ValueError with a clause that follows "ORDER_CORE_X: "; what was given
is added by whoever knows whether it is a secret.
"""

import ipaddress
import math
import re
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import BeforeValidator

from order_core.currencies import DECIMALS

Word = TypeVar("Word", bound=StrEnum)

LONGEST_SHOWN: Final = 80
"""Characters of a wrong text that are repeated in the complaint."""

_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})
_MOST_ORIGINS: Final = 100
_MOST_NETWORKS: Final = 100
_SHORTEST_SECRET: Final = 32
_DATABASE_NUMBER = re.compile(r"/?|/[0-9]{1,4}")
_INSTALLATION = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAIL_SCHEMES: Final = frozenset({"console", "file", "smtp", "smtps", "http", "https"})
_LOG_LEVELS: Final = ("debug", "info", "warning", "error")


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Read a whole number from `low` to `high`, both included."""

    def read(text: str) -> int:
        # `int` alone also takes "1_000", signs, and digits of every script.
        if re.fullmatch(r"[0-9]{1,18}", text) and low <= int(text) <= high:
            return int(text)
        raise ValueError(f"must be between {low} and {high}")

    return read


def seconds(low: int, high: int) -> Callable[[str], timedelta]:
    """Read a duration from `low` to `high` seconds, both included."""

    def read(text: str) -> timedelta:
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) and low <= float(text) <= high:
            return timedelta(seconds=float(text))
        raise ValueError(f"must be a number of seconds between {low} and {high}")

    return read


def one_of(words: type[Word]) -> Callable[[str], Word]:
    """Read one of a few words."""

    def read(text: str) -> Word:
        try:
            return words(text.lower())
        except ValueError:
            raise ValueError(f"must be {' or '.join(words)}") from None

    return read


def switch(text: str) -> bool:
    """Read yes or no."""
    if (word := text.lower()) in _YES | _NO:
        return word in _YES
    raise ValueError("must be 1 or 0")


def ip_address(text: str) -> str:
    """Read the address of a network interface of this machine."""
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        raise ValueError(
            "must be the IP address to listen on, such as 127.0.0.1 (this machine only) "
            "or 0.0.0.0 (every network)"
        ) from None


def networks(text: str) -> tuple[str, ...]:
    """Read addresses and networks, separated by commas or blanks."""
    wrong = "must be IP addresses or networks such as 10.0.0.0/24, separated by commas"
    try:
        found = tuple(dict.fromkeys(map(ipaddress.ip_network, text.replace(",", " ").split())))
    except ValueError as error:
        raise ValueError(f"{wrong} ({error})") from None
    if not found or len(found) > _MOST_NETWORKS:
        raise ValueError(f"{wrong}, {_MOST_NETWORKS} at most")
    if any(network.prefixlen == 0 for network in found):
        raise ValueError("must not be every address there is: anybody could claim to be anybody")
    return tuple(map(str, found))


def origins(text: str) -> tuple[str, ...]:
    """Read origins, separated by commas or blanks."""
    found = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if len(found) > _MOST_ORIGINS:
        raise ValueError(f"must name at most {_MOST_ORIGINS} origins")
    if all(_is_origin(each) for each in found):
        return tuple(each.lower() for each in found)
    raise ValueError("must be origins such as https://shop.example, separated by commas")


Origins = Annotated[tuple[str, ...], BeforeValidator(origins)]


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    host_in_url = f"[{host}]" if ":" in host else host
    whole = f"{parts.scheme}://{host_in_url}" + ("" if port is None else f":{port}")
    return parts.scheme in {"http", "https"} and bool(host) and whole == text.lower()


def currency(text: str) -> str:
    """Read an ISO 4217 code."""
    if text in DECIMALS:
        return text
    raise ValueError("must be a currency code of ISO 4217, such as USD")


def installation(text: str) -> str:
    """Read the name under which this installation's payments stand at the provider."""
    if _INSTALLATION.fullmatch(text):
        return text
    raise ValueError("must be 1 to 64 letters, digits, dots, hyphens or underscores")


def log_level(text: str) -> str:
    """Read how much is logged."""
    if (word := text.lower()) in _LOG_LEVELS:
        return word
    raise ValueError(f"must be one of {', '.join(_LOG_LEVELS)}")


def secret(text: str) -> str:
    """Read a secret that signs tokens."""
    if len(text.encode()) >= _SHORTEST_SECRET:
        return text
    # RFC 7518, section 3.2: a shorter one than the hash can be guessed from any token.
    raise ValueError(
        f"must have at least {_SHORTEST_SECRET} characters (make one: openssl rand -hex 32)"
    )


def readable_file(text: str) -> Path:
    """Read the path of a file that is there."""
    path = Path(text)
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"must be a file that can be read ({error.strerror})") from None


def mail_url(text: str) -> str:
    """Read where e-mail goes."""
    if text.partition(":")[0].lower() in _MAIL_SCHEMES and ":" in text:
        return text
    raise ValueError("must be console:, file:DIR, smtp://HOST:PORT or https://ADDRESS-OF-THE-API")


def mail_from(text: str) -> str:
    """Read the sender's address, with or without a name before it."""
    address = text.partition("<")[2].partition(">")[0] if "<" in text else text
    name, at, domain = address.partition("@")
    # A line break would let the sender's name add headers of its own.
    if at and name and domain and "@" not in domain and text.isprintable():
        return text
    raise ValueError("must be an e-mail address, such as orders@shop.example")


def count_storage(text: str) -> str:
    """Read where it is counted how often somebody asks."""
    wrong = "must be memory:// or redis://HOST:PORT/NUMBER (rediss:// with encryption)"
    if text == "memory://":
        return text
    try:
        parts = urlsplit(text)
        named = parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0
        # What stands behind a question mark would become arguments of the client.
        if named and _DATABASE_NUMBER.fullmatch(parts.path) and not parts.query + parts.fragment:
            return text
    except ValueError:
        pass
    raise ValueError(wrong)


def database_url(text: str) -> str:
    """Read where orders are kept, and name the driver that is used for it."""
    scheme, separator, rest = text.partition("://")
    if separator and scheme in {"sqlite", "sqlite+aiosqlite"}:
        file = rest.partition("?")[0].removeprefix("/")
        if not rest.startswith("/") or file in {"", ":memory:"}:
            raise ValueError("must name a file (sqlite:///FILE): orders in memory do not last")
        return f"sqlite+aiosqlite://{rest}"
    if separator and scheme in {"postgres", "postgresql", "postgresql+asyncpg"}:
        return _with_ssl_of_asyncpg(f"postgresql+asyncpg://{rest}")
    raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")


def _with_ssl_of_asyncpg(url: str) -> str:
    # Providers hand out addresses with libpq's `sslmode`, which asyncpg calls `ssl`.
    parts = urlsplit(url)
    if "sslmode=" not in parts.query:
        return url
    query = [
        ("ssl" if name == "sslmode" else name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit(parts._replace(query=urlencode(query)))


def without_password(url: str) -> str:
    """The address as it may be shown: without password, query and fragment.

    Some services take their key in the query, so all of it goes.
    """
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return "********"
    if not parts.netloc:
        return url  # A file or the console; putting it together again would lose slashes.
    place = parts.netloc
    if password is not None:
        place = f"{parts.username or ''}:********@{place.rpartition('@')[2]}"
    query = "********" if parts.query else ""
    return urlunsplit(parts._replace(netloc=place, query=query, fragment=""))


def shown_seconds(duration: timedelta) -> str:
    """The duration in seconds, without needless decimals."""
    total = duration.total_seconds()
    return str(math.trunc(total)) if total.is_integer() else f"{total:g}"
