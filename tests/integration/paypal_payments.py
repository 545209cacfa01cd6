"""Payments at the pretended PayPal, brought as far as a test wants to begin."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from order_core.outcomes import Continue, Outcome, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind
from order_memory.contracts import samples
from order_paypal import PayPalGateway
from tests.integration.paypal_wire import PayPalWire

_PAYS = "vault:paypal:ok"


def a_charge(token: str = _PAYS, **but: Any) -> PaymentTransaction:
    return samples.a_charge("order-7", datetime.now(UTC), provider="paypal", token=token, **but)


def after(transaction: PaymentTransaction, outcome: Outcome) -> PaymentTransaction:
    """The transaction as the core stores it after this answer, ready for the next step."""
    assert isinstance(outcome, Continue)
    return replace(transaction, step=transaction.step + 1, provider_reference=outcome.reference)


async def begun(gateway: PayPalGateway, transaction: PaymentTransaction) -> PaymentTransaction:
    return after(transaction, await gateway.send(transaction))


async def paid(gateway: PayPalGateway, **but: Any) -> tuple[PaymentTransaction, str]:
    charge = await begun(gateway, a_charge(**but))
    outcome = await gateway.send(charge)
    assert isinstance(outcome, Succeeded)
    return charge, outcome.reference


def child(parent: PaymentTransaction, kind: TransactionKind, reference: str) -> PaymentTransaction:
    return samples.a_refund(parent, kind=kind, parent_reference=reference, step=1)


def an_order(wire: PayPalWire, *, status: str = "APPROVED", **but: Any) -> Any:
    values = {"intent": "CAPTURE", "value": Decimal("25.00"), "currency": "EUR", **but}
    order = wire.emulator.books.open(**values)
    order.status = status
    return order
