"""Square moves money once, says what it did, and a silence is never a no."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest

from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.outcomes import (
    Authorized,
    Declined,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Pending,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_core.ports import PaymentGateway
from order_memory.contracts import PaymentGatewayContract, ProviderTokens, samples
from tests.integration.square_wire import (
    ACCESS_TOKEN,
    PAYS,
    Square,
    a_gateway_that_hears,
    breaches,
    specification,
)

_CREATE = "POST /v2/payments"


@pytest.fixture
async def square() -> AsyncIterator[Square]:
    square = Square()
    yield square
    await square.gateway.close()
    if specification() is not None:
        assert breaches(square.wire.exchanges) == []


class TestSquareGateway(PaymentGatewayContract):
    @pytest.fixture
    async def gateway(self, square: Square) -> PaymentGateway:
        self.square = square
        for token, kind in (
            ("loses-request", "request_lost"),
            ("loses-answer", "answer_lost"),
            ("fails-after", "error_after"),
        ):
            await square.fault(_CREATE, kind, body_contains=f"ccof:customer-card-id-ok-{token}")
        return square.gateway

    @pytest.fixture
    def tokens(self) -> ProviderTokens:
        return ProviderTokens(
            pays=PAYS,
            declined="ccof:customer-card-id-declined@CUST7",
            unknown="EXTERNAL",
            pends="bnon:bank-nonce-ok",
            single_use="cnon:once-ann",
            loses_request="ccof:customer-card-id-ok-loses-request@CUST7",
            loses_answer="ccof:customer-card-id-ok-loses-answer@CUST7",
            fails_after="ccof:customer-card-id-ok-fails-after@CUST7",
        )

    def now(self) -> datetime:
        return self.square.time.now()

    async def taken_by(self, gateway: PaymentGateway, transaction: PaymentTransaction) -> int:
        return sum(
            entry["amount"]
            for entry in await self.square.ledger()
            if (entry["kind"] == "charge" and entry["transaction_id"] == transaction.id)
            # A capture has no id of ours at Square.
            or (entry["kind"] == "capture" and entry["reference"] == transaction.parent_reference)
        )


# What Square is told ----------------------------------------------------------------------


async def test_a_payment_carries_our_ids_in_the_fields_that_square_has(square: Square) -> None:
    charge = square.a_charge()

    outcome = await square.gateway.send(charge)

    assert isinstance(outcome, Succeeded)
    [sent] = square.wire.requests
    assert httpx.Response(200, content=sent.content).json() == {
        "source_id": "ccof:customer-card-id-ok",
        "customer_id": "CUST7",
        "idempotency_key": charge.id,
        "amount_money": {"amount": 2500, "currency": "EUR"},
        "autocomplete": True,
        "location_id": "L8KIEL24159",
        "reference_id": charge.id,
        "note": "charge of order order-7, installation kiel-1",
    }


async def test_a_yen_is_a_yen() -> None:
    square = Square(currency="JPY")
    charge = square.a_charge(amount=Money(500, "JPY"))

    outcome = await square.gateway.send(charge)

    assert isinstance(outcome, Succeeded)
    assert outcome.amount == Money(500, "JPY")
    assert [entry["amount"] for entry in await square.ledger()] == [500]


async def test_a_hold_ends_with_a_cancel_and_says_when(square: Square) -> None:
    hold = square.a_charge(kind=TransactionKind.AUTHORIZATION)

    outcome = await square.gateway.send(hold)

    assert isinstance(outcome, Authorized)
    assert outcome.capture_before == square.time.now() + timedelta(hours=168)
    assert b'"delay_action":"CANCEL"' in square.wire.requests[0].content


async def test_nothing_of_an_order_that_is_too_long_for_square_is_sent(square: Square) -> None:
    outcome = await square.gateway.send(square.a_charge(id="c" * 41))

    assert outcome == NotSent("too_long_for_square")
    assert square.wire.requests == []


@pytest.mark.parametrize("reference", ["../customers", "a/b", "a?b=c", "", "..", None, "x" * 300])
@pytest.mark.parametrize(
    "kind", [TransactionKind.CAPTURE, TransactionKind.VOID, TransactionKind.REFUND]
)
async def test_an_id_that_could_lead_elsewhere_never_becomes_an_address(
    square: Square, reference: str | None, kind: TransactionKind
) -> None:
    charge = square.a_charge()
    movement = samples.a_refund(charge, kind=kind, parent_reference=reference)

    outcome = await square.gateway.send(movement)

    assert outcome == NotSent("no_usable_reference")
    await square.gateway.look_up(replace(charge, provider_reference=reference or "/"))
    await square.gateway.look_up(replace(movement, provider_reference=reference or "/"))
    assert square.wire.requests == []


# What may be asked for --------------------------------------------------------------------


@pytest.mark.parametrize(
    "token",
    [
        "CASH",
        "EXTERNAL",
        "cash",
        "4111111111111111",
        "cnon:a b",
        "cnon:a/../b",
        "gftc:abc",
        "ccof:a@",
        "ccof:a@b@c",
        "cnon:a@CUST",
        "cnon:" + "a" * 193,
        "",
    ],
)
def test_only_tokens_that_move_real_money_are_taken(square: Square, token: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        square.gateway.check(samples.EUR_25, token)

    assert refusal.value.field == ("payment_method",)
    assert not token or token not in str(refusal.value)


@pytest.mark.parametrize(
    ("amount", "field"),
    [
        (Money(100, "USD"), "currency"),
        (Money(1000, "KWD"), "currency"),
        (Money(100, "CHF"), "currency"),
        (Money(0, "EUR"), "currency"),
    ],
)
def test_an_amount_that_the_location_cannot_take_is_refused_at_once(
    square: Square, amount: Money, field: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        square.gateway.check(amount, PAYS)

    assert refusal.value.field == (field,)


def test_without_a_currency_of_the_location_any_of_squares_is_taken() -> None:
    gateway, _ = a_gateway_that_hears(lambda _: httpx.Response(200), currency=None)

    gateway.check(Money(100, "USD"), PAYS)
    gateway.check(Money(100, "JPY"), PAYS)
    with pytest.raises(InvalidValue):
        gateway.check(Money(100, "CHF"), PAYS)


@pytest.mark.parametrize("token", ["cnon:abc", "wnon:abc", "bnon:abc"])
def test_what_a_page_made_pays_once(square: Square, token: str) -> None:
    square.gateway.check(samples.EUR_25, token)
    assert square.gateway.is_single_use(token)


# Holds ------------------------------------------------------------------------------------


async def a_hold(square: Square) -> PaymentTransaction:
    hold = square.a_charge(kind=TransactionKind.AUTHORIZATION)
    outcome = await square.gateway.send(hold)
    assert isinstance(outcome, Authorized)
    return replace(hold, provider_reference=outcome.reference)


def a_child(hold: PaymentTransaction, kind: TransactionKind, **but: object) -> PaymentTransaction:
    return replace(
        samples.a_refund(hold, kind=kind, parent_reference=hold.provider_reference),
        **but,  # type: ignore[arg-type] # a test names the fields it needs
    )


async def test_a_part_of_a_hold_can_be_captured_and_the_rest_is_let_go(square: Square) -> None:
    hold = await a_hold(square)
    part = a_child(hold, TransactionKind.CAPTURE, amount=Money(1900, "EUR"))

    outcome = await square.gateway.send(part)

    reference = hold.provider_reference or ""
    assert outcome == Succeeded(reference, Money(1900, "EUR"), part.id)
    assert [(e["kind"], e["amount"]) for e in await square.ledger()] == [
        ("authorization", 2500),
        ("capture", 1900),
    ]


async def test_more_than_is_held_cannot_be_captured(square: Square) -> None:
    hold = await a_hold(square)

    outcome = await square.gateway.send(
        a_child(hold, TransactionKind.CAPTURE, amount=Money(2501, "EUR"))
    )

    assert outcome == Declined("more_than_held")
    assert [request.method for request in square.wire.requests] == ["POST", "GET"]


@pytest.mark.parametrize("fault", ["answer_lost", "error_after"])
async def test_a_capture_whose_answer_is_lost_is_found_and_not_repeated(
    square: Square, fault: str
) -> None:
    hold = await a_hold(square)
    capture = a_child(hold, TransactionKind.CAPTURE, sends=1)
    await square.fault("POST /v2/payments/{id}/complete", fault)

    outcome = await square.gateway.send(capture)

    assert isinstance(outcome, OutcomeUnknown)
    done = Succeeded(hold.provider_reference or "", samples.EUR_25, capture.id)
    assert await square.gateway.look_up(capture) == done
    assert await square.gateway.send(replace(capture, sends=2)) == done
    assert [entry["kind"] for entry in await square.ledger()] == ["authorization", "capture"]


async def test_a_part_that_was_lowered_but_not_taken_is_taken_by_the_next_try(
    square: Square,
) -> None:
    hold = await a_hold(square)
    part = a_child(hold, TransactionKind.CAPTURE, amount=Money(1, "EUR"), sends=1)
    await square.fault("POST /v2/payments/{id}/complete", "request_lost")

    first = await square.gateway.send(part)
    assert isinstance(first, OutcomeUnknown)
    assert await square.gateway.look_up(part) == NotFound()
    second = await square.gateway.send(replace(part, sends=2))

    assert second == Succeeded(hold.provider_reference or "", Money(1, "EUR"), part.id)


async def test_a_hold_that_square_gave_up_cannot_be_captured(square: Square) -> None:
    hold = await a_hold(square)
    square.time.passes(hours=169)
    late = a_child(
        hold, TransactionKind.CAPTURE, send_until=square.time.now() + timedelta(minutes=1)
    )

    outcome = await square.gateway.send(late)

    assert outcome == Declined("hold_ended", reference=hold.provider_reference)
    assert isinstance(await square.gateway.look_up(hold), Declined)


async def test_a_void_whose_answer_is_lost_is_found_and_harmless_to_repeat(
    square: Square,
) -> None:
    hold = await a_hold(square)
    void = a_child(hold, TransactionKind.VOID, sends=1)
    await square.fault("POST /v2/payments/{id}/cancel", "answer_lost")
    assert await square.gateway.look_up(void) == NotFound()

    outcome = await square.gateway.send(void)

    assert isinstance(outcome, OutcomeUnknown)
    gone = Succeeded(hold.provider_reference or "", samples.EUR_25, void.id)
    assert await square.gateway.look_up(void) == gone
    assert await square.gateway.send(replace(void, sends=2)) == gone
    assert [entry["kind"] for entry in await square.ledger()] == ["authorization", "void"]


@pytest.mark.parametrize("kind", [TransactionKind.CAPTURE, TransactionKind.VOID])
async def test_a_hold_that_cannot_be_read_is_left_alone(
    square: Square, kind: TransactionKind
) -> None:
    hold = await a_hold(square)
    await square.fault("GET /v2/payments/{id}", "error_before")

    outcome = await square.gateway.send(a_child(hold, kind))

    assert isinstance(outcome, NotSent)
    assert [entry["kind"] for entry in await square.ledger()] == ["authorization"]


@pytest.mark.parametrize(
    "kind", [TransactionKind.CAPTURE, TransactionKind.VOID, TransactionKind.REFUND]
)
async def test_nothing_is_sent_when_it_is_too_late(square: Square, kind: TransactionKind) -> None:
    hold = await a_hold(square)
    before = len(square.wire.requests)

    outcome = await square.gateway.send(a_child(hold, kind, send_until=square.time.now()))

    assert outcome == NotSent("too_late")
    assert len(square.wire.requests) == before


# Refunds ----------------------------------------------------------------------------------


async def a_paid_charge(square: Square) -> PaymentTransaction:
    charge = square.a_charge()
    outcome = await square.gateway.send(charge)
    assert isinstance(outcome, Succeeded)
    return replace(charge, provider_reference=outcome.reference)


async def test_a_refund_is_pending_at_first_and_then_done(square: Square) -> None:
    charge = await a_paid_charge(square)
    refund = a_child(charge, TransactionKind.REFUND, amount=Money(999, "EUR"))

    outcome = await square.gateway.send(refund)

    assert isinstance(outcome, Pending)
    square.time.passes(seconds=3)
    known = replace(refund, provider_reference=outcome.reference)
    done = Succeeded(outcome.reference, Money(999, "EUR"), refund.id)
    assert await square.gateway.look_up(known) == done
    assert await square.gateway.look_up(refund) == done


async def test_a_refund_whose_answer_is_lost_is_found_by_its_reason(square: Square) -> None:
    charge = await a_paid_charge(square)
    refund, twin = (
        a_child(charge, TransactionKind.REFUND, amount=Money(1000, "EUR")) for _ in range(2)
    )
    await square.fault("POST /v2/refunds", "answer_lost", body_contains=refund.id)

    outcome = await square.gateway.send(refund)

    assert isinstance(outcome, OutcomeUnknown)
    found = await square.gateway.look_up(refund)
    assert isinstance(found, Pending)
    # The other half looks exactly the same, but for its id.
    assert await square.gateway.look_up(twin) == NotFound()
    assert b'"reason":"%s refund of order order-7, installation kiel-1"' % refund.id.encode() in (
        square.wire.requests[1].content
    )


async def test_a_refund_id_that_begins_like_another_is_another(square: Square) -> None:
    charge = await a_paid_charge(square)
    refund = a_child(charge, TransactionKind.REFUND)
    await square.gateway.send(replace(refund, id=f"{refund.id}0"))

    assert await square.gateway.look_up(refund) == NotFound()


async def test_a_refund_that_the_bank_sends_back_is_declined(square: Square) -> None:
    charge = await a_paid_charge(square)
    refund = a_child(charge, TransactionKind.REFUND)
    outcome = await square.gateway.send(refund)
    assert isinstance(outcome, Pending)
    await square.control("act", {"reference": outcome.reference, "decision": "refuse"})

    found = await square.gateway.look_up(refund)

    assert found == Declined("refund_failed", retryable=True, reference=outcome.reference)


# Asking -----------------------------------------------------------------------------------


async def test_a_replay_that_keeps_returning_a_stored_500_is_resolved_by_the_look_up(
    square: Square,
) -> None:
    charge = square.a_charge()
    await square.fault(_CREATE, "error_after")

    answers = [await square.gateway.send(replace(charge, sends=n)) for n in (1, 2, 3)]

    assert all(isinstance(answer, OutcomeUnknown) for answer in answers)
    assert isinstance(await square.gateway.look_up(charge), Succeeded)
    assert [entry["kind"] for entry in await square.ledger()] == ["charge"]


async def test_the_look_up_reads_every_page(square: Square) -> None:
    for _ in range(100):
        await square.gateway.send(square.a_charge())
    ours = square.a_charge()
    answer = await square.gateway.send(ours)
    square.wire.requests.clear()

    found = await square.gateway.look_up(ours)

    assert found == answer
    assert len(square.wire.requests) == 2


async def test_the_look_up_asks_only_for_the_time_in_which_it_can_have_happened(
    square: Square,
) -> None:
    charge = await a_paid_charge(square)
    square.time.passes(days=2)

    found = await square.gateway.look_up(replace(charge, provider_reference=None))

    assert isinstance(found, Succeeded)
    assert dict(square.wire.requests[-1].url.params) == {
        "begin_time": "2030-01-01T11:55:00+00:00",
        "end_time": "2030-01-01T12:45:00+00:00",
        "sort_order": "ASC",
        "location_id": "L8KIEL24159",
        "limit": "100",
    }


async def test_a_try_that_failed_does_not_hide_one_that_paid(square: Square) -> None:
    declined = square.a_charge("ccof:customer-card-id-declined@CUST7")
    await square.gateway.send(declined)
    by_another_key = {
        "source_id": "ccof:customer-card-id-ok",
        "idempotency_key": "somebody-elses-key",
        "amount_money": {"amount": 2500, "currency": "EUR"},
        "location_id": "L8KIEL24159",
        "reference_id": declined.id,
    }
    await square.wire.handle_async_request(
        httpx.Request(
            "POST",
            "http://square/v2/payments",
            json=by_another_key,
            headers={"authorization": f"Bearer {ACCESS_TOKEN}"},
        )
    )

    assert isinstance(await square.gateway.look_up(declined), Succeeded)


async def test_a_look_up_that_cannot_ask_knows_nothing(square: Square) -> None:
    charge = await a_paid_charge(square)
    for fault in ("request_lost", "answer_lost", "error_before", "rate_limited"):
        await square.fault("GET /v2/payments", fault)
        found = await square.gateway.look_up(replace(charge, provider_reference=None))
        assert isinstance(found, OutcomeUnknown)


async def test_a_payment_that_is_not_there_although_we_know_its_id_is_a_riddle_not_a_no(
    square: Square,
) -> None:
    charge = square.a_charge(provider_reference="PanotherAccount1")

    assert await square.gateway.look_up(charge) == NotFound(by_id=True)


async def test_a_bank_payment_is_pending_until_the_bank_has_decided(square: Square) -> None:
    charge = square.a_charge("bnon:bank-nonce-insufficient-funds")
    outcome = await square.gateway.send(charge)
    assert isinstance(outcome, Pending)
    await square.control("act", {"reference": outcome.reference, "decision": "refuse"})

    found = await square.gateway.look_up(charge)

    assert isinstance(found, Declined)
    assert await square.ledger() == []
