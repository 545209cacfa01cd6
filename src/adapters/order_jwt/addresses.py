"""Which addresses may say what keys to believe."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

LONGEST_ADDRESS: Final = 2000


def checked_address(text: str) -> str:
    """The address of an issuer, or of its keys: what answers there is who it says it is.

    Raises:
        ValueError: neither `https` nor this machine, or it holds a password, a fragment or
            what no address holds. The text follows the name of whatever was given.
    """
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("must be an address such as https://id.shop.example") from None
    plain = text.isascii() and text.isprintable() and " " not in text
    if not plain or not host or len(text) > LONGEST_ADDRESS or parts.fragment or "\\" in text:
        raise ValueError("must be an address such as https://id.shop.example")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or a password")
    # Whoever stands between could put keys of their own into an answer without TLS.
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("must begin with https:// (http:// is for this machine only)")
    return text


def checked_issuer(text: str) -> str:
    """The name of an issuer that publishes its metadata below that name.

    Raises:
        ValueError: as `checked_address`, or it has a query (OpenID Connect Discovery, 4.3).
    """
    if "?" in checked_address(text):
        raise ValueError("must be the issuer's name, which has no query")
    return text


def discovery_address(issuer: str) -> str:
    """Where the metadata of `issuer` is (OpenID Connect Discovery, 4.1)."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def is_local(address: str) -> bool:
    """Whether a checked `address` is on this machine."""
    return is_loopback(urlsplit(address).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether nobody outside this machine can answer for `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
