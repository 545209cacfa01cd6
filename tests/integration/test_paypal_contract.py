"""PayPal's gateway keeps the promises of the port, over PayPal's own SDK and a real socket."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from order_core.money import Money
from order_core.outcomes import Continue, NotFound, Outcome
from order_core.payment import PaymentTransaction
from order_core.payment_terms import GatewayProfile
from order_core.ports import PaymentGateway
from order_emulators.chassis import Fault
from order_memory.contracts import PaymentGatewayContract, ProviderTokens
from order_paypal import PayPalGateway
from tests.integration.paypal_wire import PayPalWire, paypal_wire, spec_of

_TWO_STEPS = "vault:card:ok"
_CAPTURE = "POST /v2/checkout/orders/{id}/capture"


class CarriedThrough:
    """Calls again after a `Continue` and keeps its reference, as the core does between steps."""

    def __init__(self, gateway: PayPalGateway) -> None:
        self._gateway = gateway
        self._stored: dict[str, str] = {}

    @property
    def profile(self) -> GatewayProfile:
        return self._gateway.profile

    def check(self, amount: Money, token: str, /) -> None:
        self._gateway.check(amount, token)

    def is_single_use(self, token: str, /) -> bool:
        return self._gateway.is_single_use(token)

    async def send(self, transaction: PaymentTransaction, /) -> Outcome:
        outcome = await self._gateway.send(transaction)
        if isinstance(outcome, Continue) and transaction.token != _TWO_STEPS:
            self._stored[transaction.id] = outcome.reference
            return await self._gateway.send(self._as_stored(transaction))
        return outcome

    async def look_up(self, transaction: PaymentTransaction, /) -> Outcome | NotFound:
        return await self._gateway.look_up(self._as_stored(transaction))

    async def close(self) -> None:
        await self._gateway.close()

    def _as_stored(self, transaction: PaymentTransaction) -> PaymentTransaction:
        order_id = self._stored.get(transaction.id)
        if order_id is None or transaction.provider_reference:
            return transaction
        return replace(transaction, step=2, provider_reference=order_id)


class TestPayPalGateway(PaymentGatewayContract):
    @pytest.fixture
    async def gateway(self) -> AsyncIterator[PaymentGateway]:
        async with paypal_wire() as wire:
            self.wire = wire
            await wire.order_faults(_CAPTURE, Fault.REQUEST_LOST, body_contains="ok-goes-astray")
            await wire.order_faults(_CAPTURE, Fault.ANSWER_LOST, body_contains="ok-no-answer")
            await wire.order_faults(_CAPTURE, Fault.ERROR_AFTER, body_contains="ok-then-5xx")
            gateway = CarriedThrough(wire.gateway())
            yield gateway
            await gateway.close()

    @pytest.fixture
    def tokens(self, gateway: PaymentGateway) -> ProviderTokens:
        approved = an_approved_order(self.wire)
        return ProviderTokens(
            pays="vault:paypal:ok",
            declined="vault:paypal:INSTRUMENT_DECLINED",
            unknown="PAYID-1",
            asks_buyer="vault:paypal:PAYER_ACTION_REQUIRED",
            pends="vault:paypal:PENDING",
            two_steps=_TWO_STEPS,
            single_use=f"order:{approved}",
            loses_request="vault:paypal:ok-goes-astray",
            loses_answer="vault:paypal:ok-no-answer",
            fails_after="vault:paypal:ok-then-5xx",
        )

    async def taken_by(self, gateway: PaymentGateway, transaction: PaymentTransaction) -> int:
        return sum(
            entry.amount
            for entry in self.wire.emulator.ledger()
            if entry.kind in {"charge", "capture"}
            and entry.moved
            and entry.transaction_id == transaction.id
        )


def an_approved_order(wire: PayPalWire, value: str = "25.00", **but: str) -> str:
    order = wire.emulator.books.open(
        **{"intent": "CAPTURE", "currency": "EUR", "value": Decimal(value), **but}
    )
    order.status = "APPROVED"
    return order.id


def test_the_official_descriptions_are_at_hand() -> None:
    assert spec_of("/v2/checkout/orders").routes
