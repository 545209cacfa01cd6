"""Payments at Stripe that the buyer must approve: taken, refused, or ended by a void."""

import pytest

from order_core.money import Money
from order_core.outcomes import ActionRequired, Declined, Succeeded
from order_core.payment import TransactionKind
from tests.integration.stripe_payments import asked, child
from tests.integration.stripe_wire import Shop

pytest_plugins = ["tests.integration.stripe_desk"]


async def test_3ds_with_a_return_url_shows_a_page(shop: Shop) -> None:
    _, outcome = await asked(shop, return_url="https://shop.example/back")

    assert outcome.url == f"https://hooks.stripe.example/3d_secure/{outcome.reference}"
    assert outcome.client_secret


async def test_3ds_without_a_return_url_still_has_a_client_secret(shop: Shop) -> None:
    _, outcome = await asked(shop)

    assert outcome.url is None
    assert outcome.client_secret
    assert outcome.client_secret.startswith(outcome.reference)
    assert outcome.client_secret not in repr(outcome)


async def test_an_approved_payment_is_taken(shop: Shop) -> None:
    charge, outcome = await asked(shop)
    await shop.act(outcome.reference, "approve")

    assert isinstance(await shop.gateway.look_up(charge), Succeeded)
    assert await shop.taken_by(charge) == 2500


async def test_a_failed_try_leaves_the_payment_open_and_the_next_may_succeed(shop: Shop) -> None:
    charge, outcome = await asked(shop)
    await shop.act(outcome.reference, "refuse")
    assert isinstance(await shop.gateway.look_up(charge), ActionRequired)

    await shop.act(outcome.reference, "approve")

    assert isinstance(await shop.gateway.look_up(charge), Succeeded)


@pytest.mark.parametrize("tries", [0, 1])
async def test_a_void_ends_what_the_buyer_did_not_complete(shop: Shop, tries: int) -> None:
    charge, outcome = await asked(shop)
    for _ in range(tries):
        await shop.act(outcome.reference, "refuse")
    void = child(charge, TransactionKind.VOID, outcome)

    ended = await shop.gateway.send(void)

    assert ended == Succeeded(outcome.reference, Money(2500, "EUR"), void.id)
    assert await shop.gateway.look_up(void) == ended
    assert isinstance(await shop.gateway.look_up(charge), Declined)


async def test_a_void_that_comes_too_late_is_refused_and_the_payment_stands(shop: Shop) -> None:
    charge, outcome = await asked(shop)
    await shop.act(outcome.reference, "approve")
    void = child(charge, TransactionKind.VOID, outcome)

    assert await shop.gateway.send(void) == Declined(
        "already_captured", reference=void.parent_reference
    )
    assert isinstance(await shop.gateway.look_up(charge), Succeeded)


async def test_a_void_under_another_key_finds_the_hold_gone_already(shop: Shop) -> None:
    charge, outcome = await asked(shop)
    await shop.gateway.send(child(charge, TransactionKind.VOID, outcome))

    again = await shop.gateway.send(child(charge, TransactionKind.VOID, outcome))

    assert isinstance(again, Succeeded)
