"""Taking, holding, capturing and letting go through Stripe, with its traps."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Authorized,
    Declined,
    InProgress,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Pending,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_memory.contracts import samples
from order_stripe import asking
from tests.integration.stripe_wire import Shop, assert_as_documented

_CREATE = "POST /v1/payment_intents"
_ASKS = "pm_card_authenticationRequired"
_NOON = datetime(2030, 5, 4, 12, tzinfo=UTC)


class _Time:
    def __init__(self) -> None:
        self.is_now = _NOON

    def now(self) -> datetime:
        return self.is_now


@pytest.fixture
def time() -> _Time:
    return _Time()


@pytest.fixture
async def shop(time: _Time) -> AsyncIterator[Shop]:
    shop = Shop(now=time.now)
    yield shop
    await shop.close()
    assert_as_documented(shop.wire)


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


# The request --------------------------------------------------------------------------------


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


async def test_nothing_leaves_after_the_time_to_send(shop: Shop, time: _Time) -> None:
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


# Keys ---------------------------------------------------------------------------------------


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


async def test_a_wrong_api_key_takes_nothing(time: _Time) -> None:
    shop = Shop(now=time.now, secrets={"api_key": "sk_test_another"})
    charge = shop.a_charge("pm_card_visa")

    assert await shop.gateway.send(charge) == NotSent("misconfigured")
    assert await shop.gateway.look_up(charge) == OutcomeUnknown("could_not_ask")
    await shop.close()


# Looking up -----------------------------------------------------------------------------------


async def test_a_payment_is_found_behind_many_others(shop: Shop, time: _Time) -> None:
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


async def test_clocks_that_differ_hide_no_payment(shop: Shop, time: _Time) -> None:
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


# The buyer ------------------------------------------------------------------------------------


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


# Holding and capturing ----------------------------------------------------------------------


async def held(shop: Shop) -> tuple[PaymentTransaction, Authorized]:
    hold = shop.a_hold("pm_card_visa")
    outcome = await shop.gateway.send(hold)
    assert isinstance(outcome, Authorized)
    return replace(hold, provider_reference=outcome.reference), outcome


async def test_a_hold_says_when_it_ends(shop: Shop) -> None:
    hold, outcome = await held(shop)

    assert outcome.capture_before == _NOON + timedelta(days=7)
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


async def test_a_hold_that_ended_by_itself_cannot_be_captured(shop: Shop, time: _Time) -> None:
    hold, outcome = await held(shop)
    time.is_now += timedelta(days=7)
    capture = child(hold, TransactionKind.CAPTURE, outcome, send_until=time.now() + timedelta(1))

    assert await shop.gateway.send(capture) == Declined(
        "authorization_ended", reference=outcome.reference
    )
    assert await shop.gateway.look_up(hold) == Declined(
        "authorization_expired", reference=outcome.reference
    )


# Giving back --------------------------------------------------------------------------------


async def paid(shop: Shop, card: str = "pm_card_visa") -> tuple[PaymentTransaction, Succeeded]:
    charge = shop.a_charge(card)
    outcome = await shop.gateway.send(charge)
    assert isinstance(outcome, Succeeded)
    return charge, outcome


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
