"""The issuer over HTTP, on SQLite and on PostgreSQL, beside a shop that believes its tokens."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from order_jwt import JwtVerifier, Trust
from order_memory import ManualClock
from order_oauth import (
    OAUTH_OPERATIONS,
    ClientBook,
    Issuer,
    IssuerSettings,
    Wrapping,
    oauth_endpoints,
)
from order_sqlalchemy import Database
from tests.unit.http_service import service

KEY_SECRET: Final = "the-secret-that-wraps-signing-keys-in-tests"
ISSUER: Final = "https://tokens.shop.example"
SETTINGS: Final = IssuerSettings(ISSUER, audience="orders.shop.example")
CUSTOMER_ID: Final = "urn:order-core:oauth:token-type:customer-id"
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
START: Final = datetime(2031, 5, 4, 9, tzinfo=UTC)


def issuer_over(database: Database, clock: ManualClock, secret: str = KEY_SECRET) -> Issuer:
    return Issuer(SETTINGS, database, Wrapping(secret), clock)


def http_to(issuer: Issuer, clock: ManualClock) -> httpx.AsyncClient:
    """To one process, which has this issuer and believes its tokens."""
    trust = Trust(issuer.keys, issuer.settings.issuer, issuer.settings.audience)
    app = service(
        verifier=JwtVerifier([trust], clock),
        extra_routes=oauth_endpoints(issuer),
        extra_operations=OAUTH_OPERATIONS,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test")


@dataclass
class Desk:
    """One process of the service, the one who runs it, and a client of each kind."""

    database: Database
    clock: ManualClock
    issuer: Issuer
    http: httpx.AsyncClient
    book: ClientBook
    backend: tuple[str, str]
    """The shop's backend, which may act for customers."""
    report: tuple[str, str]
    """A service account that only reads."""

    async def ask(self, auth: tuple[str, str] | None, **form: str) -> httpx.Response:
        return await self.http.post("/oauth/token", data=form, auth=auth or httpx.Auth())

    async def log_in(self, customer: str, **form: str) -> Mapping[str, Any]:
        """What the backend is given for `customer`."""
        answer = await self.ask(
            self.backend,
            grant_type=EXCHANGE,
            subject_token=customer,
            subject_token_type=CUSTOMER_ID,
            **form,
        )
        assert answer.status_code == 200, answer.text
        tokens: Mapping[str, Any] = answer.json()
        return tokens

    async def refresh(self, token: str, **form: str) -> httpx.Response:
        return await self.ask(self.backend, grant_type="refresh_token", refresh_token=token, **form)

    async def orders_of(self, access_token: str) -> int:
        """The status with which the orders of its bearer are answered."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return (await self.http.get("/api/orders/", headers=headers)).status_code

    async def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))


async def desk_over(database: Database) -> AsyncIterator[Desk]:
    """With both clients added, and nothing granted."""
    clock = ManualClock(START)
    issuer = issuer_over(database, clock)
    book = ClientBook(database, clock)
    backend, backend_secret = await book.add(
        "backend", "orders:read orders:write orders:manage", may_act_for_customers=True
    )
    report, report_secret = await book.add("report", "orders:read", may_act_for_customers=False)
    async with http_to(issuer, clock) as http:
        yield Desk(
            database,
            clock,
            issuer,
            http,
            book,
            (backend.id, backend_secret),
            (report.id, report_secret),
        )


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Of an answer of RFC 6749, section 5.2, which nobody may keep."""
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)
    body = answer.json()
    assert body.keys() <= {"error", "error_description"}
    return answer.status_code, body["error"]
