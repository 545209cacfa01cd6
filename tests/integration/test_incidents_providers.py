"""Incidents on the wire: what reaches each provider when one movement is asked for again."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from order_core.outcomes import Authorized, Continue, Pending, Succeeded
from order_core.payment import PaymentTransaction
from order_core.ports import PaymentGateway
from order_emulators.chassis import Fault
from order_memory.contracts import samples
from tests.integration.adyen_wire import Adyen
from tests.integration.paypal_wire import paypal_wire
from tests.integration.square_wire import Square
from tests.integration.stripe_wire import Shop

_CAPTURE = "POST /v2/checkout/orders/{id}/capture"


@dataclass
class Wired:
    """A gateway, a charge that its emulator takes, and what went over the wire."""

    gateway: PaymentGateway
    charge: PaymentTransaction
    keys: Callable[[], list[str]]
    """The idempotency key of each request that moves money, in the order of sending."""
    taken: Callable[[], Any]


def _moved(entries: list[dict[str, Any]], kinds: set[str]) -> int:
    return sum(e["amount"] for e in entries if e["kind"] in kinds and e["moved"])


@asynccontextmanager
async def stripe() -> AsyncIterator[Wired]:
    shop = Shop()
    await shop.fault("POST /v1/payment_intents", "answer_lost", times=2)

    async def taken() -> int:
        return _moved(await shop.ledger(), {"charge"})

    sent: list[str] = []

    async def keep_key(request: httpx.Request) -> None:
        if request.method == "POST":
            sent.append(request.headers["Idempotency-Key"])

    # Before the call: the emulator cuts the connection of an answer that gets lost.
    shop.wire.before = keep_key
    yield Wired(shop.gateway, shop.a_charge("pm_card_visa"), lambda: sent, taken)
    await shop.close()


@asynccontextmanager
async def square() -> AsyncIterator[Wired]:
    square = Square()
    await square.fault("POST /v2/payments", "answer_lost", times=2)

    async def taken() -> int:
        return _moved(await square.ledger(), {"charge"})

    def keys() -> list[str]:
        bodies = [request.content for request in square.wire.requests if request.method == "POST"]
        return [json.loads(body)["idempotency_key"] for body in bodies]

    yield Wired(square.gateway, square.a_charge(), keys, taken)
    await square.gateway.close()


@asynccontextmanager
async def adyen() -> AsyncIterator[Wired]:
    adyen = Adyen()
    rule = {"on": "POST /v72/payments", "kind": "answer_lost", "times": 2}
    await adyen.control("faults", [rule])

    async def taken() -> int:
        return _moved(await adyen.ledger(), {"charge"})

    def keys() -> list[str]:
        return [str(request.headers["Idempotency-Key"]) for request in adyen.bridge.asked]

    yield Wired(adyen.gateway, adyen.a_charge(), keys, taken)
    await adyen.gateway.close()


@asynccontextmanager
async def paypal() -> AsyncIterator[Wired]:
    async with paypal_wire() as wire:
        await wire.order_faults(_CAPTURE, Fault.ANSWER_LOST, times=2)
        gateway = wire.gateway()
        charge = samples.a_charge(
            "order-7", datetime.now(UTC), provider="paypal", token="vault:paypal:ok"
        )

        async def taken() -> int:
            entries = wire.emulator.ledger()
            return sum(e.amount for e in entries if e.kind in {"charge", "capture"} and e.moved)

        def keys() -> list[str]:
            return [exchange.headers["paypal-request-id"] for exchange in wire.asked("POST")]

        yield Wired(gateway, charge, keys, taken)
        await gateway.close()


PROVIDERS = [stripe, square, adyen, paypal]


async def carried_out(wired: Wired) -> tuple[PaymentTransaction, str]:
    """The charge, sent until the provider says what became of it."""
    charge = wired.charge
    for _ in range(5):
        outcome = await wired.gateway.send(charge)
        if isinstance(outcome, Succeeded | Authorized | Pending):
            return charge, outcome.reference
        if isinstance(outcome, Continue):
            charge = replace(charge, step=2, provider_reference=outcome.reference)
    raise AssertionError("it never came to an end")


# woocommerce/woocommerce-gateway-stripe #2339
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_incident_01_three_sends_of_one_charge_take_the_money_once(provider: Any) -> None:
    async with provider() as wired:
        charge, _ = await carried_out(wired)

        assert await wired.taken() == 2500
        assert wired.keys().count(charge.key) == 3
        assert set(wired.keys()) == {wired.charge.id, charge.key}


# woocommerce/woocommerce-gateway-stripe #2339: no address may be left without a key
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_incident_01_what_gives_money_back_carries_its_own_key_too(provider: Any) -> None:
    async with provider() as wired:
        charge, reference = await carried_out(wired)
        refund = samples.a_refund(charge, step=1, parent_reference=reference, token=None)
        for _ in range(2):
            await wired.gateway.send(refund)

        assert wired.keys()[-2:] == [refund.id, refund.id]
        assert refund.id != charge.id


# Adyen/adyen-commercetools #1305
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_incident_10_the_key_stays_when_everything_else_of_the_process_changes(
    provider: Any,
) -> None:
    keys: list[set[str]] = []
    for _ in range(2):
        async with provider() as wired:
            charge = replace(wired.charge, id="charge-1305", attempts=len(keys), sends=len(keys))
            wired.charge = charge
            await carried_out(wired)
            keys.append(set(wired.keys()))

    assert keys[0] == keys[1]
    assert "charge-1305" in keys[0]
