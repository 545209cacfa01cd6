"""Whatever Square answers, or does not answer, is exactly one outcome, and tells no secret."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from order_core.money import Money
from order_core.outcomes import (
    Authorized,
    Declined,
    InProgress,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Succeeded,
)
from order_core.payment import PaymentTransaction, TransactionKind
from order_memory.contracts import samples
from order_square.connection import LARGEST_ANSWER, http_client
from order_square.gateway import SquareGateway
from tests.integration.square_wire import (
    ACCESS_TOKEN,
    NOON,
    PAYS,
    Time,
    a_gateway,
    a_gateway_that_hears,
)


def a_charge(**but: Any) -> PaymentTransaction:
    values = {"id": "charge-1", "token": PAYS, "provider": "square", **but}
    return samples.a_charge("order-7", NOON, **values)


def a_refund() -> PaymentTransaction:
    return samples.a_refund(a_charge(), id="refund-1", parent_reference="PAY1")


def a_payment(**but: Any) -> dict[str, Any]:
    return {
        "id": "PAY1",
        "status": "COMPLETED",
        "amount_money": {"amount": 2500, "currency": "EUR"},
        "total_money": {"amount": 2500, "currency": "EUR"},
        "reference_id": "charge-1",
        **but,
    }


def an_error(code: str, category: str = "PAYMENT_METHOD_ERROR") -> dict[str, Any]:
    return {"errors": [{"category": category, "code": code, "detail": "Say nothing of this."}]}


async def heard(
    status: int, body: object, transaction: PaymentTransaction, **headers: str
) -> Outcome:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    gateway, wire = a_gateway_that_hears(
        lambda _: httpx.Response(status, content=content, headers=headers)
    )
    outcome = await gateway.send(transaction)
    # The SDK tries again by itself unless it is told not to.
    assert len(wire.requests) == 1
    return outcome


# A certain no -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 402])
@pytest.mark.parametrize(
    ("code", "reason", "retryable"),
    [
        ("INSUFFICIENT_FUNDS", "insufficient_funds", True),
        ("CARD_EXPIRED", "expired_card", False),
        ("BAD_EXPIRATION", "expired_card", False),
        ("INVALID_EXPIRATION", "expired_card", False),
        ("CVV_FAILURE", "incorrect_cvc", False),
        ("VERIFY_CVV_FAILURE", "incorrect_cvc", False),
        ("ADDRESS_VERIFICATION_FAILURE", "incorrect_address", False),
        ("GENERIC_DECLINE", "card_declined", False),
        ("CARD_DECLINED", "card_declined", False),
        ("TRANSACTION_LIMIT", "limit_exceeded", False),
        ("CARD_DECLINED_VERIFICATION_REQUIRED", "authentication_required", True),
        ("CARD_TOKEN_EXPIRED", "card_token_expired", False),
        ("INVALID_CARD", "invalid_card", False),
        ("CURRENCY_MISMATCH", "currency_mismatch", False),
        ("NOT_FOUND", "not_found", False),
    ],
)
async def test_a_card_that_is_refused_is_a_decline_with_its_reason(
    status: int, code: str, reason: str, *, retryable: bool
) -> None:
    body = {**an_error(code), "payment": a_payment(id="PFAILED", status="FAILED")}

    outcome = await heard(status, body, a_charge())

    assert outcome == Declined(reason, retryable=retryable, reference="PFAILED")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("REFUND_AMOUNT_INVALID", "refund_amount_invalid"),
        ("PAYMENT_NOT_REFUNDABLE", "payment_not_refundable"),
        ("PAYMENT_NOT_REFUNDABLE_DUE_TO_DISPUTE", "payment_not_refundable_due_to_dispute"),
        ("REFUND_DECLINED", "refund_declined"),
        ("NOT_FOUND", "not_found"),
    ],
)
async def test_a_refund_that_is_refused_is_a_decline_with_its_reason(
    code: str, reason: str
) -> None:
    outcome = await heard(400, an_error(code, "REFUND_ERROR"), a_refund())

    assert isinstance(outcome, Declined)
    assert outcome.reason == reason


# Never a no -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "CARD_TOKEN_USED",
        "SOURCE_USED",
        "IDEMPOTENCY_KEY_REUSED",
        "REFUND_ALREADY_PENDING",
        "DELAYED_TRANSACTION_CAPTURED",
        "BAD_REQUEST",
        "A_CODE_OF_NEXT_YEAR",
        "TEMPORARY_ERROR",
    ],
)
@pytest.mark.parametrize("status", [400, 402, 409, 422])
async def test_what_our_own_earlier_request_may_have_caused_is_no_decline(
    code: str, status: int
) -> None:
    outcome = await heard(status, an_error(code), a_charge())

    assert isinstance(outcome, InProgress if _is_conflict(status, code) else OutcomeUnknown)


def _is_conflict(status: int, code: str) -> bool:
    return status == 409 and code != "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
@pytest.mark.parametrize("code", ["GENERIC_DECLINE", "INTERNAL_SERVER_ERROR", "GATEWAY_TIMEOUT"])
async def test_a_server_error_may_have_moved_the_money_whatever_it_says(
    status: int, code: str
) -> None:
    assert isinstance(await heard(status, an_error(code), a_charge()), OutcomeUnknown)


async def test_one_clear_code_beside_an_unclear_one_is_unclear() -> None:
    body = {"errors": [*an_error("CVV_FAILURE")["errors"], *an_error("SOURCE_USED")["errors"]]}

    assert isinstance(await heard(400, body, a_charge()), OutcomeUnknown)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Bad gateway</html>",
        b"",
        b"[]",
        b"null",
        b'"yes"',
        b"{}",
        b'{"payment": null}',
        b'{"payment": "PAY1"}',
        b'{"payment": {"id": 5}}',
        json.dumps({"payment": a_payment(id=5)}).encode(),
        json.dumps({"payment": a_payment(id="../customers")}).encode(),
        json.dumps({"payment": a_payment(status=None)}).encode(),
        json.dumps({"payment": a_payment(status=["COMPLETED"])}).encode(),
        json.dumps({"payment": a_payment(status="TOMORROW")}).encode(),
        json.dumps({"payment": a_payment(total_money={"amount": "2500"})}).encode(),
        json.dumps({"payment": a_payment(total_money={"amount": -1, "currency": "EUR"})}).encode(),
        json.dumps({"payment": a_payment(total_money={"amount": 1, "currency": "EUX"})}).encode(),
        json.dumps({"payment": a_payment(total_money={"amount": 1})}).encode(),
        json.dumps({"payment": a_payment(reference_id=7)}).encode(),
        json.dumps({"payment": a_payment(delayed_until="soon")}).encode(),
        b'{"payment": ' + b"[" * 3000,
    ],
)
async def test_a_success_that_cannot_be_read_is_unknown(body: bytes) -> None:
    assert isinstance(await heard(200, body, a_charge()), OutcomeUnknown)


# It did not run ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_access_token_is_our_mistake_and_no_decline(status: int) -> None:
    outcome = await heard(status, an_error("GENERIC_DECLINE"), a_charge())

    assert outcome == NotSent("misconfigured")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "999999"}, None),
        ({}, None),
    ],
)
async def test_too_many_requests_are_told_to_wait(
    header: dict[str, str], seconds: float | None
) -> None:
    outcome = await heard(429, an_error("RATE_LIMITED"), a_charge(), **header)

    assert outcome == RateLimited(seconds)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (httpx.ConnectError, NotSent("ConnectError")),
        (httpx.ConnectTimeout, NotSent("ConnectTimeout")),
        (httpx.PoolTimeout, NotSent("PoolTimeout")),
        (httpx.ReadTimeout, OutcomeUnknown("ReadTimeout")),
        (httpx.WriteTimeout, OutcomeUnknown("WriteTimeout")),
        (httpx.ReadError, OutcomeUnknown("ReadError")),
        (httpx.WriteError, OutcomeUnknown("WriteError")),
        (httpx.RemoteProtocolError, OutcomeUnknown("RemoteProtocolError")),
        (httpx.ProxyError, OutcomeUnknown("ProxyError")),
        (OSError, OutcomeUnknown("OSError")),
        (ValueError, OutcomeUnknown("ValueError")),
    ],
)
async def test_only_a_connection_that_never_stood_is_not_sent(
    fault: Callable[[str], Exception], expected: Outcome
) -> None:
    def break_off(_: httpx.Request) -> httpx.Response:
        raise fault("on the way")

    gateway, wire = a_gateway_that_hears(break_off)

    assert await gateway.send(a_charge()) == expected
    assert await gateway.send(a_refund()) == expected
    assert len(wire.requests) == 2


async def test_nobody_listens() -> None:
    gateway = a_gateway(httpx.AsyncHTTPTransport(), Time())
    gateway._client._client_wrapper._base_url = "http://127.0.0.1:9"  # noqa: SLF001 - a closed port

    assert await gateway.send(a_charge()) == NotSent("ConnectError")
    await gateway.close()


async def test_a_call_ends_in_time() -> None:
    class Silence(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(30)
            raise AssertionError(request)

    gateway = a_gateway(Silence(), Time(), call_seconds=0.05)

    assert await gateway.send(a_charge()) == OutcomeUnknown("TimeoutError")
    assert await gateway.look_up(a_charge()) == OutcomeUnknown("look_up:TimeoutError")


async def test_connecting_has_less_time_than_answering() -> None:
    seen: list[Any] = []

    def look(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, json={"payment": a_payment()})

    gateway, _ = a_gateway_that_hears(look)
    await gateway.send(a_charge())

    assert seen == [{"connect": 3.0, "read": 5.0, "write": 5.0, "pool": 2.0}]


async def test_a_redirect_is_not_followed() -> None:
    outcome = await heard(307, b"", a_charge(), location="https://elsewhere.example/v2/payments")

    assert isinstance(outcome, OutcomeUnknown)


async def test_an_answer_without_end_is_cut_off() -> None:
    class Flood(httpx.AsyncByteStream):
        read = 0

        async def __aiter__(self) -> Any:
            while True:
                Flood.read += 100_000
                yield b" " * 100_000

    class Endless(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Flood())

    async with http_client(5.0, Endless()) as client:
        with pytest.raises(httpx.ReadError):
            await client.get("http://square/v2/payments")

    assert LARGEST_ANSWER < Flood.read < LARGEST_ANSWER + 200_000


# What the answer says counts --------------------------------------------------------------


async def test_the_amount_and_the_id_are_squares_not_ours() -> None:
    paid = a_payment(total_money={"amount": 2600, "currency": "USD"}, reference_id="charge-2")

    outcome = await heard(200, {"payment": paid}, a_charge())

    assert outcome == Succeeded("PAY1", Money(2600, "USD"), "charge-2")


async def test_a_tip_counts_because_the_buyer_pays_it() -> None:
    paid = a_payment(total_money={"amount": 2700, "currency": "EUR"})

    assert await heard(200, {"payment": paid}, a_charge()) == Succeeded(
        "PAY1", Money(2700, "EUR"), "charge-1"
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("APPROVED", Authorized),
        ("PENDING", Pending),
        ("CANCELED", Declined),
        ("FAILED", Declined),
    ],
)
async def test_a_status_is_taken_as_it_is(status: str, expected: type[Outcome]) -> None:
    outcome = await heard(200, {"payment": a_payment(status=status)}, a_charge())

    assert isinstance(outcome, expected)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("COMPLETED", Succeeded("R1", Money(2500, "EUR"), "refund-1")),
        ("PENDING", Pending("R1")),
        ("REJECTED", Declined("refund_rejected", retryable=True, reference="R1")),
        ("FAILED", Declined("refund_failed", retryable=True, reference="R1")),
        ("LOST", OutcomeUnknown("unknown_status:lost")),
        ("such a status", OutcomeUnknown("unknown_status:unrecognised")),
    ],
)
async def test_a_refund_is_what_its_status_says(status: str, expected: Outcome) -> None:
    refund = {
        "id": "R1",
        "status": status,
        "amount_money": {"amount": 2500, "currency": "EUR"},
        "reason": "refund-1 refund of order order-7, installation kiel-1",
    }

    assert await heard(200, {"refund": refund}, a_refund()) == expected


async def test_a_cancel_that_leaves_the_payment_as_it_was_is_unknown() -> None:
    gateway, _ = a_gateway_that_hears(
        lambda _: httpx.Response(200, json={"payment": a_payment(status="APPROVED")})
    )
    for kind in (TransactionKind.VOID, TransactionKind.CAPTURE):
        child = samples.a_refund(a_charge(), kind=kind, parent_reference="PAY1")
        assert await gateway.send(child) == OutcomeUnknown("not_done_yet")


async def test_a_list_without_end_is_not_read_for_ever() -> None:
    gateway, wire = a_gateway_that_hears(
        lambda _: httpx.Response(200, json={"payments": [a_payment()], "cursor": "again"})
    )

    outcome = await gateway.look_up(a_charge(id="charge-9"))

    assert outcome == OutcomeUnknown("look_up:TooMany")
    assert len(wire.requests) == 50


@pytest.mark.parametrize("payments", [{"a": 1}, "none", [1], [None]])
async def test_a_list_that_cannot_be_read_does_not_say_that_nothing_is_there(
    payments: object,
) -> None:
    gateway, _ = a_gateway_that_hears(lambda _: httpx.Response(200, json={"payments": payments}))

    assert isinstance(await gateway.look_up(a_charge()), OutcomeUnknown)


# Secrets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 401, 500])
async def test_no_outcome_log_or_repr_shows_a_secret(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = "cnon:payment-token-very-secret"
    echo = an_error(f"{ACCESS_TOKEN} {token}") | {"payment": {"id": token, "note": ACCESS_TOKEN}}
    gateway, _ = a_gateway_that_hears(lambda _: httpx.Response(status, json=echo))
    charge = a_charge(token=token)

    shown = [await gateway.send(charge), await gateway.look_up(charge), gateway, gateway.profile]

    everything = repr(shown) + caplog.text + repr(vars(gateway))
    assert isinstance(gateway, SquareGateway)
    assert ACCESS_TOKEN not in everything
    assert token not in everything
