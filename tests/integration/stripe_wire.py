"""A gateway over the pretended Stripe, with every byte between them on record."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from order_core.payment import PaymentTransaction, TransactionKind
from order_emulators import build_emulator
from order_memory.contracts import samples
from order_stripe import StripeGateway, stripe_client
from tests.integration.official_descriptions import SHARED, described_in

API_KEY = "sk_test_emulator"

# Newer than the official file of 2023-08, or left out of it: a token instead of raw card data.
_NEWER = re.compile(r"payment_method_data\W.*card")


def official_description() -> Any:
    """Stripe's OpenAPI file; None where it is not at hand."""
    return described_in("stripe/spec3.reduced.json")


class Wire(httpx.AsyncBaseTransport):
    """Passes calls on to the emulator; `calls` keeps them.

    `broken` answers in the emulator's place; `before` happens before each call.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.calls: list[tuple[httpx.Request, httpx.Response]] = []
        self.broken: Callable[[httpx.Request], httpx.Response] | None = None
        self.before: Callable[[httpx.Request], Awaitable[None]] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.broken is not None:
            return self.broken(request)
        if self.before is not None:
            await self.before(request)
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self.calls.append((request, response))
        return response

    @property
    def posts(self) -> list[httpx.Request]:
        return [request for request, _ in self.calls if request.method == "POST"]

    def mistakes(self) -> list[str]:
        """What of the calls is not as Stripe's official file says."""
        spec = official_description()
        if spec is None:
            return []
        found: list[str] = []
        for request, response in self.calls:
            url, body = str(request.url), request.content.decode()
            headers = {name.lower(): value for name, value in request.headers.items()}
            errors = spec.request_errors(request.method, url, headers, body)
            errors += spec.response_errors(
                request.method, url, response.status_code, json.loads(response.content)
            )
            found += [
                f"{request.method} {url}: {error}" for error in errors if not _NEWER.search(error)
            ]
        return found


class Shop:
    """A gateway, the pretended Stripe behind it, and its control endpoints."""

    def __init__(self, now: Callable[[], datetime] | None = None, **emulator: Any) -> None:
        self.now = now or (lambda: datetime.now(UTC))
        app = build_emulator("stripe", clock=self.now, **emulator)
        self.control = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://emulator"
        )
        self.wire = Wire(httpx.ASGITransport(app))
        self.http = httpx.AsyncClient(transport=self.wire)
        self.gateway = StripeGateway(
            stripe_client(API_KEY, self.http, "http://emulator"),
            account="test:default",
            close=self.http.aclose,
            now=self.now,
        )

    async def close(self) -> None:
        await self.gateway.close()
        await self.control.aclose()

    async def fault(self, on: str, kind: str, **more: Any) -> None:
        rule = {"on": on, "kind": kind, **more}
        answer = await self.control.post("/_emulator/faults", json=[rule])
        assert answer.status_code == 200, answer.text

    async def act(self, reference: str, decision: str) -> None:
        wish = {"reference": reference, "decision": decision}
        assert (await self.control.post("/_emulator/act", json=wish)).status_code == 200

    async def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = (await self.control.get("/_emulator/ledger")).json()
        return entries

    async def taken_by(self, transaction: PaymentTransaction) -> int:
        return sum(
            entry["amount"]
            for entry in await self.ledger()
            if entry["transaction_id"] == transaction.id
            and entry["kind"] in {"charge", "capture"}
            and entry["moved"]
        )

    def a_charge(self, token: str, **but: Any) -> PaymentTransaction:
        profile = self.gateway.profile
        return samples.a_charge(
            but.pop("order_id", "order-7"),
            self.now(),
            token=token,
            provider="stripe",
            account=profile.account,
            horizon=profile.horizon,
            **but,
        )

    def a_hold(self, token: str, **but: Any) -> PaymentTransaction:
        return self.a_charge(token, kind=TransactionKind.AUTHORIZATION, **but)


def assert_as_documented(wire: Wire) -> None:
    assert wire.mistakes() == []


needs_official_description = pytest.mark.skipif(
    official_description() is None,
    reason=f"Stripe's OpenAPI file is not in {SHARED.name}/: nothing is checked against it",
)
