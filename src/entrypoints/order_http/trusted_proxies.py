"""Believes what the proxies in front of us say about their clients, and nobody else."""

import ipaddress
from functools import lru_cache
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from order_http.forwarding import (
    MOST_HOPS,
    Address,
    address_in,
    hops_in_forwarded,
    hops_in_x_forwarded_for,
)

_TOLD: Final = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip"}
)


class TrustedProxies:
    """Puts the client's address into `scope["client"]`, and its scheme into `scope["scheme"]`.

    Each hop is believed about the one before it as long as it is trusted itself. So the chain is
    walked from our own peer towards its beginning, which anybody may have written, and ends at
    the first address that is not trusted, or that is none.

    Only `header` is read: proxies pass on the other one as a stranger wrote it. Nobody behind
    sees either.
    """

    def __init__(self, *, trusted: tuple[str, ...], header: str) -> None:
        self._trusted = tuple(map(ipaddress.ip_network, trusted))
        self._read = {
            "forwarded": hops_in_forwarded,
            "x-forwarded-for": hops_in_x_forwarded_for,
        }[header]

    def told(self, scope: Scope) -> Scope:
        """A copy of `scope`, as those behind are to see it."""
        told = dict(scope)
        told["headers"] = [pair for pair in scope["headers"] if pair[0] not in _TOLD]
        peer = _peer(str((scope.get("client") or ("",))[0]))
        if peer is None:
            return told
        client, name = peer
        if self._is_trusted(client):
            for hop in reversed(self._read(Headers(scope=scope))[-MOST_HOPS:]):
                told["scheme"] = hop.scheme or told["scheme"]
                before = address_in(hop.client)
                if before is None:
                    break
                client = before
                if not self._is_trusted(client):
                    break
        same = client is peer[0] or client == peer[0]
        told["client"] = (name, scope["client"][1]) if same else (str(client), 0)
        return told

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


@lru_cache(maxsize=4096)
def _peer(text: str) -> tuple[Address, str] | None:
    """The address at the other end of the connection, and its one spelling."""
    address = address_in(text)
    return None if address is None else (address, str(address))
