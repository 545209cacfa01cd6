"""What the adapter sends and what the emulator answers is what Square itself describes.

Every test in test_square_gateway.py checks its exchanges too; this one goes once through all
requests there are, and says so when the description is not at hand.
"""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from order_core.money import Money
from order_core.outcomes import Authorized, Succeeded
from order_core.payment import TransactionKind
from order_memory.contracts import samples
from tests.integration.official_descriptions import SHARED
from tests.integration.square_wire import Exchange, Square, breaches, specification

pytestmark = pytest.mark.skipif(
    specification() is None,
    reason=f"NOT CHECKED against Square's description: there is none in {SHARED.name}/specs",
)


async def test_every_request_and_every_answer_is_as_described() -> None:
    square = Square()
    charge = square.a_charge()
    paid = await square.gateway.send(charge)
    assert isinstance(paid, Succeeded)
    await square.gateway.look_up(charge)
    await square.gateway.look_up(replace(charge, provider_reference=paid.reference))
    refund = samples.a_refund(charge, parent_reference=paid.reference)
    await square.gateway.send(refund)
    await square.gateway.look_up(refund)
    await square.gateway.send(square.a_charge("ccof:customer-card-id-declined"))
    for kind in (TransactionKind.CAPTURE, TransactionKind.VOID):
        hold = square.a_charge(kind=TransactionKind.AUTHORIZATION)
        held = await square.gateway.send(hold)
        assert isinstance(held, Authorized)
        child = samples.a_refund(hold, kind=kind, parent_reference=held.reference)
        await square.gateway.send(replace(child, amount=Money(1000, "EUR")))

    asked = {
        (exchange.request.method, exchange.request.url.path.replace(paid.reference, "{id}"))
        for exchange in square.wire.exchanges
    }
    assert {("POST", "/v2/payments"), ("GET", "/v2/payments"), ("GET", "/v2/payments/{id}")} < asked
    assert {("POST", "/v2/refunds"), ("GET", "/v2/refunds")} < asked
    assert {path.rsplit("/", 1)[-1] for _, path in asked} > {"complete", "cancel"}
    assert "PUT" in {method for method, _ in asked}
    assert breaches(square.wire.exchanges) == []


async def test_the_record_of_events_is_as_described() -> None:
    square = Square()
    begin, end = square.time.now() - timedelta(days=1), square.time.now()
    assert (await square.event_log.read(begin, end)).events == ()
    for verb in ("disable", "enable"):
        await square.ask("PUT", f"/v2/events/{verb}")
    paid = await square.gateway.send(square.a_charge())
    assert isinstance(paid, Succeeded)
    await square.refund_at_the_dashboard(paid.reference, 700)
    await square.control("act", {"reference": paid.reference, "decision": "refuse"})
    for number in range(100):
        await square.pay_beside_us(f"p-{number}")

    first = await square.event_log.read(begin, end)
    second = await square.event_log.read(begin, end, page=first.next_page)

    assert (len(first.events), len(second.events)) == (100, 3)
    assert breaches(square.wire.exchanges) == []


async def test_the_police_is_awake() -> None:
    wrong = httpx.Request(
        "POST", "http://square/v2/payments", json={"source_id": None, "idempotency_key": "k" * 46}
    )

    found = breaches([Exchange(wrong, 200, b'{"payment": {"id": 5}}')])

    assert len(found) == 3
