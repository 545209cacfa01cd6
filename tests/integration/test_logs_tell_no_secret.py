"""A whole day of a shop, with everything going wrong, and no line of its log names anybody."""

# ruff: noqa: S608 - the statements of a test are its data

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from order_cli.work import working
from order_jwt import issue_token
from order_wiring.composition import running
from order_wiring.configuration import read_configuration
from order_wiring.http_app import app_of
from order_wiring.logs import log_to_standard_error
from order_wiring.settings import SERVING
from tests.integration.sqlalchemy_orders import run_sql

pytest_plugins = ["tests.integration.sqlalchemy_database"]

_JWT_SECRET: Final = "the-signing-secret-of-quixote-and-sons"
_API_KEY: Final = "sk_test_51QuixoteAndSons"
_WEBHOOK_SECRET: Final = "whsec_quixoteandsons"
_CUSTOMER: Final = "customer-zelda-4711"
_ORDER: Final = {
    "items": [{"product_id": "windmill", "quantity": 1, "price": 25}],
    "shipping_address": {"name": "Zelda Quixote", "street": "9 Tilting Lane"},
    "payment_method": "sandbox:ok",
    "email": "zelda@windmill.example",
    "return_url": "https://shop.example/back?sails=torn",
}
_KEY: Final = "idempotency-of-zelda"
_CARD: Final = "pm_card_of_zelda"
_TOKEN: Final = issue_token(
    _JWT_SECRET,
    subject=_CUSTOMER,
    scopes=["orders:read", "orders:write", "orders:manage"],
)
_NEEDLES: Final = (
    *("Zelda", "Quixote", "Tilting", "windmill.example", "sails=torn", "4711"),
    *(_JWT_SECRET, _API_KEY, _WEBHOOK_SECRET, _CUSTOMER, _KEY, _CARD, _TOKEN, _TOKEN[-20:]),
)


def _taking_orders_again(url: str) -> list[str]:
    if url.startswith("sqlite"):
        return ["DROP TRIGGER IF EXISTS no_more"]
    return ["ALTER TABLE orders DROP CONSTRAINT IF EXISTS ck_no_more"]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    log_to_standard_error("debug", stream=written)
    yield written
    root.handlers[:], root.level = handlers, level


async def _break_down(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A payment provider on a bad day, which repeats in its answer what it was asked."""
    asked = await reader.read(65_536)
    writer.write(b"HTTP/1.1 500 Sorry\r\nContent-Length: %d\r\n\r\n" % len(asked))
    writer.write(asked)
    await writer.drain()
    writer.close()


def _settings(folder: Path, url: str, stripe_port: int) -> dict[str, str]:
    settings = {
        "DATABASE_URL": url,
        "PRICES": "trust",
        "SANDBOX": "1",
        "SANDBOX_LEDGER": str(folder / "ledger.sqlite3"),
        "STRIPE_API_KEY": _API_KEY,
        "STRIPE_WEBHOOK_SECRET": _WEBHOOK_SECRET,
        "STRIPE_API_BASE": f"http://127.0.0.1:{stripe_port}",
        "SANDBOX_HANG_SECONDS": "0.1",
        "DEFAULT_PROVIDER": "sandbox",
        "DEFAULT_CURRENCY": "EUR",
        "JWT_SECRET": _JWT_SECRET,
        "MAIL_URL": f"file:{folder / 'mails'}",
        "RETURN_ORIGINS": "https://shop.example",
        "RECOVERY_DELAY": "0.1",
        "DUPLICATE_WINDOW": "0",
    }
    return {f"ORDER_CORE_{name}": value for name, value in settings.items()}


class _Day:
    """A client whose every answer is kept."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.heard: list[httpx.Response] = []

    async def ask(self, method: str, path: str, **of: Any) -> httpx.Response:
        answer = await self._client.request(method, path, **of)
        self.heard.append(answer)
        return answer

    async def place(self, *, key: str | None = None, **but: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.ask("POST", "/api/orders/create", json={**_ORDER, **but}, headers=headers)


async def _morning(day: _Day) -> str:
    """Everything that a client can do right and wrong. Returns an order's id."""
    placed = await day.place(key=_KEY)
    order_id = str(placed.json()["order_id"])
    await day.place(key=_KEY)
    await day.place(key=_KEY, email="other@windmill.example")
    await day.place(payment_method="sandbox:declined")
    await day.place(payment_method="sandbox:unknown_after_charge")
    await day.place(payment_method=f"stripe:{_CARD}")
    await day.place(payment_method="4242424242424242")
    await day.place(email="not an address of Zelda's")
    await day.place(items=[{"product_id": "Zelda", "quantity": "Zelda", "price": "Zelda"}])
    await day.place(shipping_address={"Zelda": 4711})
    await day.ask("POST", "/api/orders/create", content=b'{"email": "zelda@windmill.example", ')
    await day.ask("GET", f"/api/orders/{order_id}")
    await day.ask("GET", f"/api/orders/{order_id}/history")
    await day.ask("GET", "/api/orders/", params={"customer_id": _CUSTOMER, "status": "Zelda"})
    await day.ask("GET", "/api/orders/no-such-order-of-Zelda")
    await day.ask("GET", f"/api/orders/{order_id}", headers={"Authorization": f"Bearer {_TOKEN}x"})
    note = {"transaction_id": placed.json()["payment"]["transaction_id"], "decision": "note"}
    await day.ask("POST", f"/api/orders/{order_id}/review", json={**note, "note": "Zelda's knee"})
    await day.ask("POST", f"/api/orders/{order_id}/refunds", json={"amount": "Zelda"})
    await day.ask("POST", f"/api/orders/{order_id}/cancel")
    for signature in ("t=1,v1=00", f"t=Zelda,v1={_WEBHOOK_SECRET}"):
        event = {"object": "event", "id": "evt_of_Zelda", "type": "of.Zelda"}
        headers = {"Stripe-Signature": signature}
        await day.ask("POST", "/api/webhooks/stripe", json=event, headers=headers)
    return order_id


async def _afternoon(day: _Day, url: str, order_id: str) -> None:
    """The database breaks, in what it holds and in what it takes."""
    await run_sql(
        url,
        f"UPDATE order_events SET name = 'Zelda Quixote' WHERE order_id = '{order_id}'",
        f"UPDATE orders SET items = '{json.dumps('9 Tilting Lane')}' WHERE id = '{order_id}'",
    )
    await day.ask("GET", f"/api/orders/{order_id}")
    await day.ask("GET", f"/api/orders/{order_id}/history")
    await day.ask("GET", "/api/orders/")
    # From now on neither a request nor a worker gets hold of an order, and the reason that the
    # database gives is the whole row.
    await run_sql(url, *_nobody_may_hold_an_order(url))
    free = "attend_at_us = 1, lease_token = NULL, lease_until_us = NULL"
    await run_sql(url, f"UPDATE orders SET {free} WHERE id <> '{order_id}'")
    await day.place()
    await asyncio.sleep(0.5)


def _nobody_may_hold_an_order(url: str) -> list[str]:
    if url.startswith("sqlite"):
        refuse = "WHEN new.lease_token IS NOT NULL BEGIN SELECT RAISE(ABORT, 'no more'); END"
        return [f"CREATE TRIGGER no_more BEFORE UPDATE ON orders {refuse}"]
    return ["ALTER TABLE orders ADD CONSTRAINT ck_no_more CHECK (lease_token IS NULL) NOT VALID"]


async def _live_through_it(url: str, folder: Path) -> list[httpx.Response]:
    stripe = await asyncio.start_server(_break_down, "127.0.0.1", 0)
    settings = _settings(folder, url, stripe.sockets[0].getsockname()[1])
    async with AsyncExitStack() as open_today:
        await open_today.enter_async_context(stripe)
        service = await open_today.enter_async_context(
            running(read_configuration(settings, SERVING))
        )
        await open_today.enter_async_context(working(service, 5, poll_seconds=0.05))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app_of(service)),
            base_url="http://shop.test",
            headers={"Authorization": f"Bearer {_TOKEN}"},
        )
        day = _Day(await open_today.enter_async_context(client))
        order_id = await _morning(day)
        await asyncio.sleep(0.3)
        await _afternoon(day, url, order_id)
    return day.heard


async def test_no_line_of_the_log_and_no_failure_names_a_person_a_key_a_token_or_a_secret(
    database_url: str, tmp_path: Path, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        heard = await _live_through_it(database_url, tmp_path)
    finally:
        await run_sql(database_url, *_taking_orders_again(database_url))

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    failed = [answer for answer in heard if answer.status_code >= 500]
    statuses = {answer.status_code for answer in heard}
    assert statuses >= {200, 201, 202, 400, 401, 402, 404, 422, 500, 503}, sorted(statuses)
    assert {line["logger"] for line in lines} >= {
        "order_http.access",
        "order_http.errors",
        "order_http.webhooks",
        "order_core.worker",
    }
    assert sum("exception" in line for line in lines) >= 2
    assert len(failed) >= 3
    printed = "".join(capfd.readouterr())
    for told in (log.getvalue(), printed, *(answer.text for answer in failed)):
        assert [needle for needle in _NEEDLES if needle in told] == []
    assert not [answer.text for answer in failed if "Error" in answer.text]
