"""What Stripe answers under a key that it has seen, and to what was used before."""

import asyncio
from dataclasses import replace

from order_core.money import Money
from order_core.outcomes import Declined, InProgress, NotSent, OutcomeUnknown, Succeeded
from tests.integration.stripe_desk import Time
from tests.integration.stripe_wire import Shop

pytest_plugins = ["tests.integration.stripe_desk"]

_CREATE = "POST /v1/payment_intents"


async def test_a_stored_500_stays_a_500_and_only_the_look_up_tells(shop: Shop) -> None:
    await shop.fault(_CREATE, "error_after")
    charge = shop.a_charge("pm_card_visa")

    first, replay = await shop.gateway.send(charge), await shop.gateway.send(charge)

    assert first == replay == OutcomeUnknown("answer_500")
    assert isinstance(await shop.gateway.look_up(charge), Succeeded)
    assert await shop.taken_by(charge) == 2500


async def test_a_500_from_before_the_key_may_be_tried_again(shop: Shop) -> None:
    await shop.fault(_CREATE, "error_before")
    charge = shop.a_charge("pm_card_visa")

    assert isinstance(await shop.gateway.send(charge), OutcomeUnknown)
    assert isinstance(await shop.gateway.send(charge), Succeeded)
    assert await shop.taken_by(charge) == 2500


async def test_a_decline_is_replayed_word_by_word(shop: Shop) -> None:
    charge = shop.a_charge("pm_card_visa_chargeDeclinedInsufficientFunds")

    first = await shop.gateway.send(charge)

    assert isinstance(first, Declined)
    assert (first.reason, first.retryable) == ("insufficient_funds", True)
    assert await shop.gateway.send(charge) == first


async def test_a_key_with_another_request_is_a_question(shop: Shop) -> None:
    charge = shop.a_charge("pm_card_visa")
    await shop.gateway.send(charge)

    outcome = await shop.gateway.send(replace(charge, amount=Money(2600, "EUR")))

    assert outcome == OutcomeUnknown("key_reused_with_another_request")
    assert await shop.taken_by(charge) == 2500


async def test_a_key_in_use_is_in_progress(shop: Shop) -> None:
    await shop.fault(_CREATE, "delay", seconds=0.1)
    charge = shop.a_charge("pm_card_visa")

    first, second = await asyncio.gather(shop.gateway.send(charge), shop.gateway.send(charge))

    assert isinstance(first, Succeeded)
    assert second == InProgress()
    assert await shop.taken_by(charge) == 2500


async def test_a_used_token_is_a_question(shop: Shop) -> None:
    await shop.gateway.send(shop.a_charge("tok_1Once"))

    outcome = await shop.gateway.send(shop.a_charge("tok_1Once"))

    assert outcome == OutcomeUnknown("refused_token_already_used")


async def test_a_used_payment_method_without_a_customer_is_a_question(shop: Shop) -> None:
    await shop.gateway.send(shop.a_charge("pm_1MadeByAPage"))

    assert isinstance(await shop.gateway.send(shop.a_charge("pm_1MadeByAPage")), OutcomeUnknown)


async def test_a_wrong_api_key_takes_nothing(time: Time) -> None:
    shop = Shop(now=time.now, secrets={"api_key": "sk_test_another"})
    charge = shop.a_charge("pm_card_visa")

    assert await shop.gateway.send(charge) == NotSent("misconfigured")
    assert await shop.gateway.look_up(charge) == OutcomeUnknown("could_not_ask")
    await shop.close()
