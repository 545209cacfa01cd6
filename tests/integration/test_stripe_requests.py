"""What Stripe is asked for a payment, and what it is never asked."""

from dataclasses import replace

import httpx
import pytest

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import NotSent, OutcomeUnknown, Succeeded
from order_core.payment import TransactionKind, TransactionStatus
from tests.integration.stripe_desk import Time
from tests.integration.stripe_wire import Shop

pytest_plugins = ["tests.integration.stripe_desk"]


async def test_the_request_is_made_of_the_record_alone(shop: Shop) -> None:
    charge = replace(
        shop.a_charge("pm_card_visa", id="t-0815", order_id="order-0815"),
        installation="kiel",
        return_url="https://shop.example/back?a=1",
    )
    await shop.gateway.send(charge)

    (request,) = shop.wire.posts
    sent = dict(httpx.QueryParams(request.content.decode()))
    assert request.headers["idempotency-key"] == "t-0815"
    assert sent == {
        "amount": "2500",
        "currency": "eur",
        "confirm": "true",
        "payment_method": "pm_card_visa",
        "payment_method_types[0]": "card",
        "return_url": "https://shop.example/back?a=1",
        "metadata[order_id]": "order-0815",
        "metadata[transaction_id]": "t-0815",
        "metadata[installation]": "kiel",
        "expand[0]": "latest_charge",
    }


async def test_a_replay_is_identical_byte_by_byte(shop: Shop) -> None:
    charge = shop.a_charge("pm_card_visa")
    await shop.gateway.send(charge)
    await shop.gateway.send(replace(charge, sends=3, attempts=9, status=TransactionStatus.UNKNOWN))

    first, second = shop.wire.posts
    assert first.content == second.content
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


async def test_nothing_leaves_after_the_time_to_send(shop: Shop, time: Time) -> None:
    charge = shop.a_charge("pm_card_visa")
    time.is_now = charge.send_until

    assert await shop.gateway.send(charge) == NotSent("too_late")
    assert shop.wire.calls == []


@pytest.mark.parametrize("reference", [None, "", "..", "pi_", "pi_1/../../x", "ch_1", "pi_1?a=b"])
@pytest.mark.parametrize(
    "kind", [TransactionKind.CAPTURE, TransactionKind.VOID, TransactionKind.REFUND]
)
async def test_what_is_no_id_never_gets_into_an_address(
    shop: Shop, kind: TransactionKind, reference: str | None
) -> None:
    wish = replace(shop.a_charge("pm_card_visa"), kind=kind, parent_reference=reference)

    assert await shop.gateway.send(wish) == NotSent("no_payment_to_act_on")
    assert isinstance(await shop.gateway.look_up(wish), OutcomeUnknown)
    assert shop.wire.calls == []


@pytest.mark.parametrize(
    ("amount", "as_stripe_counts"),
    [
        (Money(500, "JPY"), "500"),
        (Money(5120, "KWD"), "5120"),
        (Money(500, "ISK"), "50000"),
        (Money(50000, "MGA"), "500"),
        (Money(2500, "HUF"), "2500"),
    ],
    ids=str,
)
async def test_incident_52_each_currency_is_counted_as_stripe_counts_it(
    shop: Shop, amount: Money, as_stripe_counts: str
) -> None:
    shop.gateway.check(amount, "pm_card_visa")
    charge = shop.a_charge("pm_card_visa", amount=amount)

    outcome = await shop.gateway.send(charge)

    assert isinstance(outcome, Succeeded)
    assert outcome.amount == amount
    (request,) = shop.wire.posts
    assert httpx.QueryParams(request.content.decode())["amount"] == as_stripe_counts
    assert await shop.taken_by(charge) == amount.minor_units


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(5124, "KWD"), "unsupported_precision"),
        (Money(50050, "MGA"), "unsupported_precision"),
        (Money(500, "UGX"), "unsupported_currency"),
        (Money(500, "IQD"), "unsupported_currency"),
        (Money(0, "EUR"), "unsupported_amount"),
        (Money(100_000_000, "EUR"), "unsupported_amount"),
        (Money(1_000_000, "ISK"), "unsupported_amount"),
    ],
    ids=str,
)
def test_what_stripe_could_never_take_is_refused_before(amount: Money, code: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Shop().gateway.check(amount, "pm_card_visa")

    assert (refusal.value.field, refusal.value.code) == (("currency",), code)


async def test_a_payment_method_kept_with_a_customer_pays_often(shop: Shop) -> None:
    token = "pm_1Kept@cus_9Ann"
    shop.gateway.check(Money(2500, "EUR"), token)

    for _ in range(2):
        assert isinstance(await shop.gateway.send(shop.a_charge(token)), Succeeded)

    sent = httpx.QueryParams(shop.wire.posts[0].content.decode())
    assert (sent["payment_method"], sent["customer"]) == ("pm_1Kept", "cus_9Ann")
    assert not shop.gateway.is_single_use(token)


@pytest.mark.parametrize(
    "token",
    ["", "pm_", "pm_ä", "cus_1", "pm_1/..", "pm_1\n", "4242424242", "pm_1@", "tok_1@cus_1"],
)
def test_what_is_no_payment_method_is_refused_before(token: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Shop().gateway.check(Money(2500, "EUR"), token)

    assert refusal.value.field == ("payment_method",)
