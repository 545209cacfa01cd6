"""The attacks again, on the service as it is put together: real tokens, every route."""

import re
import shutil
import socket
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx
import jwt
import pytest

from order_http.authentication import READ, WRITE
from order_http.desk import ORDER_PATH
from order_http.endpoint import Guarded, OwnerRule, Public
from order_jwt import issue_token
from order_wiring.composition import running
from order_wiring.configuration import read_configuration
from order_wiring.http_app import app_of
from order_wiring.settings import SERVING
from tests.attacks.attempts import attempt, attempt_public, attempt_unknown_order
from tests.attacks.callers import NOBODY, PRINCIPALS, STAFF, STRANGER, UNPROVEN, VICTIM, refusal_of
from tests.attacks.odd_paths import odd_paths
from tests.attacks.rows import (
    BODY_OF_VICTIM,
    OPEN_ROWS,
    ROWS,
    Row,
    route_of,
    unattacked,
)
from tests.attacks.shown import row_of
from tests.attacks.site import Site, place_victims_order
from tests.integration.service_process import SECRET, ServiceProcess

pytest_plugins = ["tests.integration.sqlalchemy_database"]

_SANDBOX: Final = "/sandbox/{reference}"
_OF_NOBODY: Final = {"reference": "nobodys"}
# Every path is tried on the application itself; here it is the server's reading that is tried.
_LOOKED_AT: Final = (ORDER_PATH, "/api/orders/")
# One of each kind of token; who is whose namesake is tried on the application in memory.
_CALLERS: Final = (
    *(VICTIM, STRANGER, STAFF, "victim without a scope", "service account of the stranger"),
    *(*UNPROVEN, NOBODY),
)
_OPEN: Final = OPEN_ROWS | {
    ("GET", _SANDBOX): Row(404, values=_OF_NOBODY),
    ("POST", _SANDBOX): Row(422, values=_OF_NOBODY),
    ("POST", "/oauth/token"): Row(400),
    ("POST", "/oauth/revoke"): Row(400),
    ("GET", "/oauth/jwks"): Row(),
    ("GET", "/.well-known/oauth-authorization-server"): Row(),
}


def _settings(folder: Path) -> dict[str, str]:
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'orders.db'}",
        "PRICES": "trust",
        "SANDBOX": "1",
        "SANDBOX_LEDGER": str(folder / "ledger.sqlite3"),
        "JWT_SECRET": SECRET,
        "MAIL_URL": f"file:{folder / 'mails'}",
        "OAUTH": "1",
        "OAUTH_KEY_SECRET": "the-wrapping-secret-of-the-attacked-service",
        "RATE_LIMIT": "off",
    }
    return {f"ORDER_CORE_{name}": text for name, text in settings.items()}


def _tokens() -> dict[str, str]:
    tokens = {
        caller: issue_token(
            SECRET, subject=known.subject, scopes=sorted(known.scopes), email=known.email
        )
        for caller, known in PRINCIPALS.items()
        if known.actor is None
    }
    claims: dict[str, Any] = {"sub": PRINCIPALS[VICTIM].subject, "scope": f"{READ} {WRITE}"}
    now = int(time.time())
    good = {**claims, "exp": now + 600}
    acting = {**good, "sub": PRINCIPALS[STRANGER].subject, "act": {"sub": "robot"}}
    return tokens | {
        "forged": jwt.encode(good, "another-secret-of-the-same-good-length", "HS256"),
        "expired": jwt.encode({**claims, "exp": now - 3600}, SECRET, "HS256"),
        "service account of the stranger": jwt.encode(acting, SECRET, "HS256"),
    }


@pytest.fixture
async def site(sqlite_with_schema: Path, tmp_path: Path) -> AsyncIterator[Site]:
    database = shutil.copy(sqlite_with_schema, tmp_path / "orders.db")

    async def state() -> object:
        with closing(sqlite3.connect(database)) as connection:
            return list(connection.iterdump())

    async def owner_of(order_id: str) -> str:
        query = "SELECT customer_id FROM orders WHERE id = ?"
        with closing(sqlite3.connect(database)) as connection:
            return str(connection.execute(query, [order_id]).fetchone()[0])

    async with running(read_configuration(_settings(tmp_path), SERVING)) as service:
        attacked = Site(app_of(service), _tokens(), state, owner_of)
        async with attacked.client(NOBODY) as anybody:
            # The first who asks for the keys finds none, and they are made.
            await anybody.get("/oauth/jwks")
        yield replace(attacked, order_id=await place_victims_order(attacked))


async def test_every_route_of_the_service_withstands_every_caller(site: Site) -> None:
    endpoints = site.app.state.endpoints
    assert unattacked(endpoints, public=_OPEN.keys()) == set()
    for endpoint in endpoints:
        for caller in _CALLERS:
            try:
                await _attack(site, caller, endpoint)
            except AssertionError as failure:
                failure.add_note(f"{caller}: {endpoint.method} {endpoint.path}")
                raise
    async with site.client(VICTIM) as victim:
        order = (await victim.get(f"/api/orders/{site.order_id}")).json()
    assert order["status"] == "pending"


async def test_the_page_shows_every_address_of_the_service(site: Site) -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    shown = {line for line in page.splitlines() if re.match(r"\| `(GET|POST) ", line)}

    assert shown == {row_of(endpoint) for endpoint in site.app.state.endpoints}


async def _attack(site: Site, caller: str, endpoint: Guarded | Public) -> None:
    if isinstance(endpoint, Public):
        await attempt_public(site, caller, endpoint, _OPEN[route_of(endpoint)])
        return
    row = ROWS[route_of(endpoint)]
    of_one = endpoint.owner_rule in {OwnerRule.ONE_ORDER, OwnerRule.STAFF}
    if of_one and caller == STRANGER:
        await attempt_unknown_order(site, caller, endpoint, row)
    # The victim and staff may do it, and the order must stay what the others attack.
    if not (of_one and endpoint.method == "POST" and refusal_of(caller, endpoint) is None):
        await attempt(site, caller, endpoint, row)


def test_no_odd_spelling_gets_past_the_server_and_the_door(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path) as process:
        address = str(process.client.base_url)
        tokens = _tokens()
        owner = {"Authorization": f"Bearer {tokens[VICTIM]}"}
        placed = httpx.post(f"{address}/api/orders/create", json=BODY_OF_VICTIM, headers=owner)
        order_id = placed.json()["order_id"]
        for template in _LOOKED_AT:
            for path in odd_paths(template, order_id):
                told = _raw(process.port, path, tokens[STRANGER])
                status = int(told.split(b" ", 2)[1]) if told else 400
                assert 400 <= status < 500 or told.endswith(b"\r\n\r\n[]"), (path, told)
                assert order_id.encode() not in told, path
                assert b"victim" not in told.lower(), path
        after = httpx.get(f"{address}/api/orders/{order_id}", headers=owner).json()
    assert after == placed.json()


def _raw(port: int, path: str, bearer: str) -> bytes:
    """The answer to a request line that no client would write."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n"
        connection.sendall(f"{head}Authorization: Bearer {bearer}\r\n\r\n".encode())
        told = b""
        while part := connection.recv(65536):
            told += part
    return told
