"""Money that Stripe holds for a shop: captured, let go, or gone by itself."""

from dataclasses import replace
from datetime import timedelta

from order_core.money import Money
from order_core.outcomes import Authorized, Declined, NotFound, OutcomeUnknown, Succeeded
from order_core.payment import TransactionKind
from tests.integration.stripe_desk import NOON, Time
from tests.integration.stripe_payments import child, held
from tests.integration.stripe_wire import Shop

pytest_plugins = ["tests.integration.stripe_desk"]


async def test_a_hold_says_when_it_ends(shop: Shop) -> None:
    hold, outcome = await held(shop)

    assert outcome.capture_before == NOON + timedelta(days=7)
    assert await shop.gateway.look_up(hold) == outcome
    assert await shop.gateway.look_up(replace(hold, provider_reference=None)) == outcome


async def test_a_part_of_a_hold_can_be_captured_and_the_rest_is_let_go(shop: Shop) -> None:
    hold, outcome = await held(shop)
    capture = child(hold, TransactionKind.CAPTURE, outcome, amount=Money(1000, "EUR"))

    taken = await shop.gateway.send(capture)

    assert taken == Succeeded(outcome.reference, Money(1000, "EUR"), capture.id)
    assert await shop.gateway.look_up(capture) == taken
    assert await shop.taken_by(capture) == 1000


async def test_a_capture_that_was_never_sent_is_not_found(shop: Shop) -> None:
    hold, outcome = await held(shop)

    assert await shop.gateway.look_up(child(hold, TransactionKind.CAPTURE, outcome)) == NotFound()


async def test_a_capture_whose_answer_was_lost_is_found(shop: Shop) -> None:
    hold, outcome = await held(shop)
    capture = child(hold, TransactionKind.CAPTURE, outcome)
    await shop.fault("POST /v1/payment_intents/{id}/capture", "answer_lost")

    assert isinstance(await shop.gateway.send(capture), OutcomeUnknown)
    assert isinstance(await shop.gateway.look_up(capture), Succeeded)


async def test_incident_12_a_capture_under_a_second_key_takes_nothing(shop: Shop) -> None:
    hold, outcome = await held(shop)
    first = child(hold, TransactionKind.CAPTURE, outcome)
    second = child(hold, TransactionKind.CAPTURE, outcome)
    await shop.gateway.send(first)

    assert await shop.gateway.send(second) == Declined(
        "already_captured", reference=outcome.reference
    )
    assert await shop.gateway.look_up(second) == Declined(
        "already_captured", reference=outcome.reference
    )
    assert await shop.taken_by(first) == 2500
    assert await shop.taken_by(second) == 0


async def test_a_captured_hold_is_still_known_as_the_hold_it_was(shop: Shop) -> None:
    hold, outcome = await held(shop)
    await shop.gateway.send(child(hold, TransactionKind.CAPTURE, outcome))

    found = await shop.gateway.look_up(hold)

    assert isinstance(found, Authorized)
    assert found.amount == outcome.amount


async def test_a_hold_that_ended_by_itself_cannot_be_captured(shop: Shop, time: Time) -> None:
    hold, outcome = await held(shop)
    time.is_now += timedelta(days=7)
    capture = child(hold, TransactionKind.CAPTURE, outcome, send_until=time.now() + timedelta(1))

    assert await shop.gateway.send(capture) == Declined(
        "authorization_ended", reference=outcome.reference
    )
    assert await shop.gateway.look_up(hold) == Declined(
        "authorization_expired", reference=outcome.reference
    )
