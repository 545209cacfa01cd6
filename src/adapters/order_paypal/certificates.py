"""The certificates that PayPal signs its events with: fetched from PayPal alone, and checked."""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from order_core.errors import WebhookRejected, WebhookUnverifiable

Fetch = Callable[[str], Awaitable[bytes]]
"""Fetches the PEM file at an address that was allowed.

`httpx.HTTPError`, `OSError` and `TimeoutError` mean that it could not be had.
"""

LIVE_HOSTS: Final = frozenset({"api.paypal.com", "api-m.paypal.com"})
SANDBOX_HOSTS: Final = frozenset({"api.sandbox.paypal.com", "api-m.sandbox.paypal.com"})
LIVE_NAME: Final = "messageverificationcerts.paypal.com"
SANDBOX_NAME: Final = "messageverificationcerts.sandbox.paypal.com"

_PATH: Final = re.compile(r"/v1/notifications/certs/[A-Za-z0-9_-]{1,100}")
_FETCH_SECONDS: Final = 5.0
_MOST_BYTES: Final = 64 * 1024
_MOST_KEPT: Final = 16
_KEPT_SECONDS: Final = 3600.0
_LONGEST_URL: Final = 300
_STRANGE_AT_ONCE: Final = 20
"""Addresses that never led to a certificate, before one has to wait for its turn..."""
_STRANGE_EVERY_SECONDS: Final = 2.0
"""...which comes so often."""


async def fetch_over_https(url: str) -> bytes:
    """Fetch a small file, without following it elsewhere."""
    async with (
        httpx.AsyncClient(timeout=_FETCH_SECONDS, follow_redirects=False, trust_env=False) as web,
        web.stream("GET", url) as answer,
    ):
        answer.raise_for_status()
        received = bytearray()
        async for chunk in answer.aiter_bytes():
            received += chunk
            if len(received) > _MOST_BYTES:
                raise httpx.ReadError("the certificate is too long")
        return bytes(received)


class Certificates:
    """Keeps the public keys of certificates that stand up to `roots` and carry `name`.

    `hosts` are the only ones that are asked; `emulator` is one more address (`http://...`)
    whose certificates are taken, of a pretended PayPal on this machine.
    """

    def __init__(
        self,
        *,
        roots: list[x509.Certificate],
        name: str,
        hosts: frozenset[str],
        fetch: Fetch = fetch_over_https,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        emulator: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = Store(roots)
        self._name = name
        self._hosts = hosts
        self._fetch = fetch
        self._now = now
        self._emulator = emulator
        self._monotonic = monotonic
        self._kept: OrderedDict[str, tuple[float, tuple[x509.Certificate, ...]]] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[tuple[x509.Certificate, ...]]] = {}
        self._turns = float(_STRANGE_AT_ONCE)
        self._turns_at = monotonic()

    async def key(self, url: str) -> rsa.RSAPublicKey:
        """The public key of the certificate at `url`.

        Raises:
            WebhookRejected: it is not PayPal's.
            WebhookUnverifiable: it cannot be fetched just now.
        """
        if not self._is_allowed(url):
            raise WebhookRejected("cert_url is not an address of PayPal's certificates")
        leaf, *intermediates = await self._chain(url)
        try:
            # Each time, because a certificate that was good may have ended.
            verifier = (
                PolicyBuilder()
                .store(self._store)
                .time(self._now())
                .build_server_verifier(x509.DNSName(self._name))
            )
            verifier.verify(leaf, intermediates)
        except VerificationError:
            raise WebhookRejected("the certificate is not PayPal's") from None
        public_key = leaf.public_key()
        if not isinstance(public_key, rsa.RSAPublicKey):
            raise WebhookRejected("the certificate has no RSA key")
        return public_key

    def _is_allowed(self, url: str) -> bool:
        if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable():
            return False
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return False
        if not _PATH.fullmatch(parts.path) or parts.query or parts.fragment:
            return False
        if self._emulator is not None and url == f"{self._emulator}{parts.path}":
            return True
        # The whole address is compared, so that no user, port or trailing dot slips through.
        return (
            port is None
            and parts.hostname in self._hosts
            and url == f"https://{parts.hostname}{parts.path}"
        )

    async def _chain(self, url: str) -> tuple[x509.Certificate, ...]:
        kept = self._kept.get(url)
        if kept and self._monotonic() < kept[0]:
            return kept[1]
        if url not in self._fetching:
            if kept is None:
                self._take_a_turn()
            self._fetching[url] = fetching = asyncio.create_task(self._fetched(url))
            fetching.add_done_callback(lambda done: self._done_with(url, done))
        # Whoever came first may go away; the others still wait for it.
        return await asyncio.shield(self._fetching[url])

    def _take_a_turn(self) -> None:
        """Anybody may name addresses that nobody has heard of, and PayPal would stop answering us.

        Raises:
            WebhookUnverifiable: too many did so just now.
        """
        now = self._monotonic()
        grown = self._turns + (now - self._turns_at) / _STRANGE_EVERY_SECONDS
        self._turns, self._turns_at = min(_STRANGE_AT_ONCE, grown), now
        if self._turns < 1:
            raise WebhookUnverifiable("too many unknown certificates are named")
        self._turns -= 1

    def _done_with(self, url: str, done: asyncio.Task[tuple[x509.Certificate, ...]]) -> None:
        del self._fetching[url]
        if not done.cancelled():
            done.exception()  # Whoever waits hears of it; nobody may be left to.

    async def _fetched(self, url: str) -> tuple[x509.Certificate, ...]:
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                pem = await self._fetch(url)
        except (httpx.HTTPError, OSError, TimeoutError):
            raise WebhookUnverifiable("the certificate cannot be fetched") from None
        try:
            chain = tuple(x509.load_pem_x509_certificates(pem))
        except (ValueError, UnsupportedAlgorithm):
            # A page of something in between, most likely: PayPal tells the event again.
            raise WebhookUnverifiable("the certificate cannot be read") from None
        self._kept[url] = (self._monotonic() + _KEPT_SECONDS, chain)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return chain
