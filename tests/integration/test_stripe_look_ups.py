"""Finding out at Stripe what became of a payment."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from order_core.money import Money
from order_core.outcomes import Declined, NotFound, OutcomeUnknown, Succeeded
from order_stripe import asking
from tests.integration.stripe_desk import Time
from tests.integration.stripe_wire import Shop

pytest_plugins = ["tests.integration.stripe_desk"]

_CREATE = "POST /v1/payment_intents"


async def test_a_payment_is_found_behind_many_others(shop: Shop, time: Time) -> None:
    wanted = shop.a_charge("pm_card_visa", id="needle")
    await shop.fault(_CREATE, "answer_lost")
    await shop.gateway.send(wanted)
    for _ in range(201):
        await shop.gateway.send(shop.a_charge("pm_card_visa"))

    found = await shop.gateway.look_up(wanted)

    assert isinstance(found, Succeeded)
    assert found.transaction_id == "needle"
    lists = [request for request, _ in shop.wire.calls if request.method == "GET"]
    assert len(lists) == 3


async def test_a_list_too_long_to_read_proves_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_A_PAGE", 2)
    monkeypatch.setattr(asking, "_MOST_PAGES", 2)
    for _ in range(5):
        await shop.gateway.send(shop.a_charge("pm_card_visa"))

    found = await shop.gateway.look_up(shop.a_charge("pm_card_visa"))

    assert found == OutcomeUnknown("too_many_to_look_through")


async def test_the_search_that_lags_is_never_used(shop: Shop) -> None:
    await shop.gateway.look_up(shop.a_charge("pm_card_visa"))

    (request, _) = shop.wire.calls[0]
    assert request.url.path == "/v1/payment_intents"
    assert not [name for name in request.url.params if "metadata" in name]


async def test_clocks_that_differ_hide_no_payment(shop: Shop, time: Time) -> None:
    charge = shop.a_charge("pm_card_visa")
    time.is_now -= timedelta(minutes=4)
    await shop.gateway.send(charge)

    assert isinstance(await shop.gateway.look_up(charge), Succeeded)


async def test_an_id_of_another_account_proves_nothing(shop: Shop) -> None:
    charge = replace(shop.a_charge("pm_card_visa"), provider_reference="pi_3Elsewhere")

    assert await shop.gateway.look_up(charge) == NotFound(by_id=True)


async def test_a_declined_intent_is_cancelled_before_it_counts_as_dead(shop: Shop) -> None:
    charge = shop.a_charge("pm_card_visa_chargeDeclined")
    await shop.fault(_CREATE, "answer_lost")
    assert isinstance(await shop.gateway.send(charge), OutcomeUnknown)

    found = await shop.gateway.look_up(charge)

    assert isinstance(found, Declined)
    assert found.reason == "generic_decline"
    assert [entry["status"] for entry in await shop.ledger()] == ["canceled"]


async def test_what_is_paid_in_the_moment_of_cancelling_is_paid(shop: Shop) -> None:
    charge = shop.a_charge("pm_card_visa_chargeDeclined")
    await shop.fault(_CREATE, "answer_lost")
    await shop.gateway.send(charge)
    (entry,) = await shop.ledger()

    async def buyer_is_faster(request: httpx.Request) -> None:
        if request.url.path.endswith("/cancel"):
            await shop.act(entry["reference"], "approve")

    shop.wire.before = buyer_is_faster

    found = await shop.gateway.look_up(charge)

    assert isinstance(found, Succeeded)
    assert found.amount == Money(2500, "EUR")
