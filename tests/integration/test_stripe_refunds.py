"""Giving money back through Stripe."""

from dataclasses import replace

import pytest

from order_core.money import Money
from order_core.outcomes import Declined, NotFound, NotSent, OutcomeUnknown, Pending, Succeeded
from order_core.payment import TransactionKind
from tests.integration.stripe_payments import child, paid
from tests.integration.stripe_wire import Shop

pytest_plugins = ["tests.integration.stripe_desk"]


async def test_a_refund_whose_answer_was_lost_is_found_by_our_own_id(shop: Shop) -> None:
    charge, outcome = await paid(shop)
    refund = child(charge, TransactionKind.REFUND, outcome, amount=Money(700, "EUR"))
    other = child(charge, TransactionKind.REFUND, outcome, amount=Money(700, "EUR"))
    await shop.gateway.send(other)
    await shop.fault("POST /v1/refunds", "answer_lost")

    assert isinstance(await shop.gateway.send(refund), OutcomeUnknown)
    found = await shop.gateway.look_up(refund)

    assert isinstance(found, Succeeded)
    assert (found.amount, found.transaction_id) == (Money(700, "EUR"), refund.id)
    assert await shop.gateway.look_up(replace(refund, provider_reference=found.reference)) == found


async def test_a_part_that_stripe_could_not_give_back_is_not_sent(shop: Shop) -> None:
    charge = shop.a_charge("pm_card_visa", amount=Money(10_000, "KWD"))
    outcome = await shop.gateway.send(charge)
    refund = child(charge, TransactionKind.REFUND, outcome, amount=Money(5124, "KWD"))

    assert await shop.gateway.send(refund) == NotSent("unsupported_amount")


async def test_incident_45_more_than_was_taken_is_never_given_back(shop: Shop) -> None:
    charge, outcome = await paid(shop)
    refunds = [
        child(charge, TransactionKind.REFUND, outcome, amount=Money(1500, "EUR")) for _ in range(2)
    ]

    answers = [await shop.gateway.send(refund) for refund in refunds]

    assert isinstance(answers[0], Succeeded)
    assert answers[1] == Declined("amount_too_large")
    assert await shop.gateway.look_up(refunds[1]) == NotFound()


async def test_what_was_given_back_already_is_refused_by_name(shop: Shop) -> None:
    charge, outcome = await paid(shop)
    await shop.gateway.send(child(charge, TransactionKind.REFUND, outcome))

    again = await shop.gateway.send(child(charge, TransactionKind.REFUND, outcome))

    assert again == Declined("charge_already_refunded")


async def test_a_disputed_payment_is_not_given_back_twice(shop: Shop) -> None:
    charge, outcome = await paid(shop, "pm_card_createDispute")

    refused = await shop.gateway.send(child(charge, TransactionKind.REFUND, outcome))

    assert refused == Declined("charge_disputed")


@pytest.mark.parametrize(("decision", "end"), [("approve", Succeeded), ("refuse", Declined)])
async def test_a_refund_may_take_its_time(shop: Shop, decision: str, end: type) -> None:
    charge, outcome = await paid(shop, "pm_card_pendingRefund")
    refund = child(charge, TransactionKind.REFUND, outcome)
    pending = await shop.gateway.send(refund)
    assert isinstance(pending, Pending)
    assert await shop.gateway.look_up(refund) == pending

    await shop.act(pending.reference, decision)

    assert isinstance(await shop.gateway.look_up(refund), end)
