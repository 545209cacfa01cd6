"""What the pretended Square does by itself."""

from typing import Any

import httpx

from order_emulators import build_emulator
from tests.integration.square_wire import ACCESS_TOKEN, LOCATION, Time


async def test_its_books_show_that_a_refund_is_done_though_nobody_asked_it_meanwhile() -> None:
    time = Time()
    secrets = {"access_token": ACCESS_TOKEN, "location_id": LOCATION, "currency": "EUR"}
    emulator = build_emulator("square", clock=time.now, sleep=time.sleep, secrets=secrets)
    transport = httpx.ASGITransport(emulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://square.test") as http:
        money = {"amount": 2500, "currency": "EUR"}
        paid = await _post(
            http,
            "payments",
            idempotency_key="pay",
            source_id="ccof:customer-card-id-ok",
            customer_id="CUST7",
            location_id=LOCATION,
            amount_money=money,
        )
        await _post(
            http,
            "refunds",
            idempotency_key="back",
            payment_id=paid["payment"]["id"],
            amount_money=money,
        )
        at_once = await _refunds(http)
        time.passes(days=1)
        later = await _refunds(http)

    assert at_once == []
    assert [(entry["amount"], entry["moved"]) for entry in later] == [(2500, True)]


async def _post(http: httpx.AsyncClient, what: str, **body: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {ACCESS_TOKEN}", "square-version": "2025-10-16"}
    answer = await http.post(f"/v2/{what}", json=body, headers=headers)
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def _refunds(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    entries = (await http.get("/_emulator/ledger")).raise_for_status().json()
    return [entry for entry in entries if entry["kind"] == "refund" and entry["moved"]]
