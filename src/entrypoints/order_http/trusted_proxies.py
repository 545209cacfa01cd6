"""Believes what the proxies in front of us say about their clients, and nobody else."""

import ipaddress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

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
    this middleware sees either.
    """

    def __init__(self, app: ASGIApp, *, trusted: tuple[str, ...], header: str) -> None:
        self._app = app
        self._trusted = tuple(map(ipaddress.ip_network, trusted))
        self._read = {
            "forwarded": hops_in_forwarded,
            "x-forwarded-for": hops_in_x_forwarded_for,
        }[header]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope = self._told(scope)
        await self._app(scope, receive, send)

    def _told(self, scope: Scope) -> Scope:
        told = dict(scope)
        told["headers"] = [pair for pair in scope["headers"] if pair[0] not in _TOLD]
        peer = address_in(str((scope.get("client") or ("",))[0]))
        if peer is None:
            return told
        client, scheme = peer, scope["scheme"]
        if self._is_trusted(client):
            for hop in reversed(self._read(Headers(scope=scope))[-MOST_HOPS:]):
                scheme = hop.scheme or scheme
                before = address_in(hop.client)
                if before is None:
                    break
                client = before
                if not self._is_trusted(client):
                    break
        port = scope["client"][1] if client == peer else 0
        return {**told, "client": (str(client), port), "scheme": scheme}

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)
