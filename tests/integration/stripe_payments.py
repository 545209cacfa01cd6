"""Payments at the pretended Stripe, brought as far as a test wants to begin."""

from dataclasses import replace
from typing import Any

from order_core.outcomes import ActionRequired, Authorized, Succeeded
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_memory.contracts import samples
from tests.integration.stripe_wire import Shop

_ASKS = "pm_card_authenticationRequired"


def child(parent: PaymentTransaction, kind: TransactionKind, of: Any, **but: Any) -> Any:
    return samples.a_refund(parent, kind=kind, parent_reference=of.reference, **but)


async def asked(shop: Shop, **but: Any) -> tuple[PaymentTransaction, ActionRequired]:
    charge = shop.a_charge(_ASKS, **but)
    outcome = await shop.gateway.send(charge)
    assert isinstance(outcome, ActionRequired)
    waiting = replace(
        charge,
        status=TransactionStatus.ACTION_REQUIRED,
        provider_reference=outcome.reference,
        client_secret=outcome.client_secret,
    )
    return waiting, outcome


async def held(shop: Shop) -> tuple[PaymentTransaction, Authorized]:
    hold = shop.a_hold("pm_card_visa")
    outcome = await shop.gateway.send(hold)
    assert isinstance(outcome, Authorized)
    return replace(hold, provider_reference=outcome.reference), outcome


async def paid(shop: Shop, card: str = "pm_card_visa") -> tuple[PaymentTransaction, Succeeded]:
    charge = shop.a_charge(card)
    outcome = await shop.gateway.send(charge)
    assert isinstance(outcome, Succeeded)
    return charge, outcome
