"""Fixtures: the pretended PayPal for one test, and a gateway that asks it."""

from collections.abc import AsyncIterator

import pytest

from order_paypal import PayPalGateway
from tests.integration.paypal_wire import PayPalWire, paypal_wire


@pytest.fixture
async def wire() -> AsyncIterator[PayPalWire]:
    async with paypal_wire() as wire:
        yield wire


@pytest.fixture
async def gateway(wire: PayPalWire) -> AsyncIterator[PayPalGateway]:
    gateway = wire.gateway()
    yield gateway
    await gateway.close()
