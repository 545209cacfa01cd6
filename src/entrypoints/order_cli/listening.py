"""The address that the service listens on."""

import ipaddress
import os
import socket
import sys
from typing import Final

from order_wiring.mistakes import CannotStart

_CLAIMED: Final[dict[int, socket.socket]] = {}
"""Port -> what holds it for this process; the claim ends with the process."""


_BY_SETTINGS: Final = "ORDER_CORE_HOST and ORDER_CORE_PORT"


def refuse_taken_port(host: str, port: int, *, chosen_with: str = _BY_SETTINGS) -> None:
    """Fail if something listens there. `chosen_with` is how people choose another address.

    Granian shares ports between processes, so a second service would start, and half of
    the requests would silently go to the first. The port is this process's from here on, also
    for one that starts in the same moment.

    Raises:
        CannotStart: something listens there, or the address is not this machine's.
    """
    try:
        with _listening(host, port):
            pass
    except OSError as error:
        # The error's own text names the address a second time.
        because = os.strerror(error.errno) if error.errno else str(error)
        raise CannotStart(
            f"cannot listen on {address(host, port)}: {because}. "
            f"Another address is set with {chosen_with}"
        ) from None


def free_port(host: str, first: int, tries: int = 100) -> int:
    """`first`, or the next port after it on which nothing listens; it is this process's from now.

    Raises:
        CannotStart: none of `tries` ports is free.
    """
    for port in range(first, min(first + tries, 65_536)):
        try:
            with _listening(host, port):
                return port
        except OSError:
            continue
    raise CannotStart(f"none of the {tries} ports from {first} on is free")


def address(host: str, port: int) -> str:
    """As it stands in URLs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listening(host: str, port: int) -> socket.socket:
    _claim(port)
    version = ipaddress.ip_address(host).version
    family = socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
    return socket.create_server((host, port), family=family)


def _claim(port: int) -> None:
    """Keep others of ours off a port on which we do not listen yet.

    Raises:
        OSError: another process has claimed it.
    """
    if port in _CLAIMED or sys.platform != "linux":
        return
    # A name without a file: it is seen where the port is seen, and is gone with the process.
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0order-core-port-{port}")
    except OSError:
        claim.close()
        raise
    _CLAIMED[port] = claim
