"""What each answer of Stripe's, each error and each silence means for a charge."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from order_core.money import Money
from order_core.outcomes import (
    ActionRequired,
    Declined,
    InProgress,
    NotFound,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Succeeded,
)
from order_core.payment import TransactionKind
from tests.integration.stripe_wire import Shop

_INTENT = {
    "id": "pi_3Seven",
    "object": "payment_intent",
    "amount": 2500,
    "amount_received": 0,
    "amount_capturable": 0,
    "currency": "eur",
    "capture_method": "automatic",
    "client_secret": "pi_3Seven_secret_9",
    "metadata": {},
    "status": "requires_payment_method",
}


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    yield shop
    await shop.close()


def error(code: str | None = None, kind: str = "invalid_request_error", **more: Any) -> bytes:
    return json.dumps({"error": {"type": kind, "message": "m", "code": code, **more}}).encode()


def intent(**but: Any) -> dict[str, Any]:
    return {**_INTENT, **but}


def card_error(code: str, **but: Any) -> bytes:
    return error("card_declined", "card_error", decline_code=code, payment_intent=intent(**but))


_UNREADABLE = OutcomeUnknown("unreadable_answer")

_ANSWERS: dict[str, tuple[int, bytes, Outcome]] = {
    "200 without JSON": (200, b"<html>", OutcomeUnknown("answer_200")),
    "200 with an empty body": (200, b"", OutcomeUnknown("answer_200")),
    "200 with another object": (200, b'{"object": "charge", "id": "ch_1"}', OutcomeUnknown("x")),
    "200 without an amount": (
        200,
        json.dumps(intent(status="succeeded", amount_received=None)).encode(),
        _UNREADABLE,
    ),
    "200 in a status of the future": (
        200,
        json.dumps(intent(status="dreaming")).encode(),
        OutcomeUnknown("intent_in_unknown_status"),
    ),
    "200 and nothing tried": (
        200,
        json.dumps(_INTENT).encode(),
        OutcomeUnknown("intent_requires_payment_method"),
    ),
    "200 in processing": (
        200,
        json.dumps(intent(status="processing")).encode(),
        Pending("pi_3Seven"),
    ),
    "500": (500, error(kind="api_error"), OutcomeUnknown("answer_500")),
    "502 of a proxy": (502, b"<html>Bad Gateway", OutcomeUnknown("answer_502")),
    "401": (401, error(), NotSent("misconfigured")),
    "403": (403, error(), NotSent("misconfigured")),
    "429": (429, error("rate_limit"), RateLimited(7.0)),
    "429 because of a lock": (429, error("lock_timeout"), RateLimited(7.0)),
    "409 while the key is in use": (409, error("idempotency_key_in_use"), InProgress()),
    "409 for another reason": (409, error("something"), OutcomeUnknown("answer_409")),
    "400 for a reused key": (
        400,
        error(kind="idempotency_error"),
        OutcomeUnknown("key_reused_with_another_request"),
    ),
    "400 for a used token": (
        400,
        error("token_already_used"),
        OutcomeUnknown("refused_token_already_used"),
    ),
    "400 for a used payment method, without a code": (400, error(), OutcomeUnknown("x")),
    "400 for no such payment method": (
        400,
        error("resource_missing", param="payment_method"),
        Declined("no_such_payment_method"),
    ),
    "404 for something else": (
        404,
        error("resource_missing", param="customer"),
        OutcomeUnknown("refused_resource_missing"),
    ),
    "400 for too small an amount": (
        400,
        error("amount_too_small"),
        Declined("amount_too_small"),
    ),
    "402": (
        402,
        card_error("insufficient_funds"),
        Declined("insufficient_funds", retryable=True, reference="pi_3Seven"),
    ),
    "402 for a stolen card, which is not told": (
        402,
        card_error("stolen_card"),
        Declined("generic_decline", reference="pi_3Seven"),
    ),
    "402 with a reason that is no word": (
        402,
        card_error("Höchst <b>seltsam"),
        Declined("declined", reference="pi_3Seven"),
    ),
    "402 that asks for the buyer": (
        402,
        card_error("authentication_required"),
        ActionRequired("pi_3Seven", client_secret="pi_3Seven_secret_9"),
    ),
    "402 without its intent": (
        402,
        error("card_declined", "card_error"),
        OutcomeUnknown("declined_without_its_intent"),
    ),
    "402 although the intent was paid": (
        402,
        card_error(
            "generic_decline",
            status="succeeded",
            amount_received=2500,
            metadata={"transaction_id": "t-1"},
        ),
        Succeeded("pi_3Seven", Money(2500, "EUR"), "t-1"),
    ),
    "402 although the intent is in the making": (
        402,
        card_error("generic_decline", status="processing"),
        Pending("pi_3Seven"),
    ),
}


@pytest.mark.parametrize("name", _ANSWERS)
async def test_an_answer_means_one_outcome(shop: Shop, name: str) -> None:
    status, body, expected = _ANSWERS[name]
    headers = {"retry-after": "7"}
    shop.wire.broken = lambda _: httpx.Response(status, content=body, headers=headers)

    outcome = await shop.gateway.send(shop.a_charge("pm_card_visa"))

    if isinstance(expected, OutcomeUnknown):
        assert isinstance(outcome, OutcomeUnknown)
        assert expected.because in {"x", outcome.because}
    else:
        assert outcome == expected


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (httpx.ConnectError("refused"), NotSent("no_connection")),
        (httpx.ConnectTimeout("slow"), NotSent("no_connection")),
        (httpx.PoolTimeout("full"), NotSent("no_connection")),
        (httpx.ReadTimeout("silence"), OutcomeUnknown("no_answer")),
        (httpx.ReadError("reset"), OutcomeUnknown("no_answer")),
        (httpx.WriteError("reset"), OutcomeUnknown("no_answer")),
        (httpx.WriteTimeout("slow"), OutcomeUnknown("no_answer")),
        (httpx.RemoteProtocolError("cut"), OutcomeUnknown("no_answer")),
        (httpx.ProxyError("403"), OutcomeUnknown("no_answer")),
        (ConnectionResetError("reset"), OutcomeUnknown("no_answer")),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_silence_is_never_a_no(shop: Shop, failure: Exception, expected: Outcome) -> None:
    tries = 0

    def fail(_: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        raise failure

    shop.wire.broken = fail

    assert await shop.gateway.send(shop.a_charge("pm_card_visa")) == expected
    assert tries == 1


@pytest.mark.parametrize("status", [409, 429, 500, 503])
async def test_nothing_is_sent_a_second_time_by_itself(shop: Shop, status: int) -> None:
    seen: list[str] = []

    def count(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["idempotency-key"])
        return httpx.Response(status, content=error(), headers={"stripe-should-retry": "true"})

    shop.wire.broken = count
    charge = shop.a_charge("pm_card_visa")

    await shop.gateway.send(charge)

    assert seen == [charge.key]


async def test_an_endless_answer_is_unknown(shop: Shop) -> None:
    shop.wire.broken = lambda _: httpx.Response(200, content=b" " * 9_000_000)

    outcome = await shop.gateway.send(shop.a_charge("pm_card_visa"))

    assert outcome == OutcomeUnknown("no_answer")


async def test_a_patience_without_end_is_not_believed(shop: Shop) -> None:
    headers = {"retry-after": "9" * 30}
    shop.wire.broken = lambda _: httpx.Response(429, content=error(), headers=headers)

    assert await shop.gateway.send(shop.a_charge("pm_card_visa")) == RateLimited(3600.0)


@pytest.mark.parametrize("kind", list(TransactionKind))
async def test_a_look_up_that_fails_proves_nothing(shop: Shop, kind: TransactionKind) -> None:
    failures: list[Callable[[httpx.Request], httpx.Response]] = [
        lambda _: httpx.Response(500, content=error()),
        lambda _: httpx.Response(401, content=error()),
        lambda _: httpx.Response(429, content=error()),
        lambda _: httpx.Response(200, content=b"{}"),
        lambda _: httpx.Response(200, content=b"nonsense"),
    ]
    asked = replace(shop.a_charge("pm_card_visa"), kind=kind, parent_reference="pi_3Parent")

    for failure in failures:
        shop.wire.broken = failure
        assert isinstance(await shop.gateway.look_up(asked), OutcomeUnknown)


@pytest.mark.parametrize("kind", sorted(set(TransactionKind) - {TransactionKind.REVERSAL}))
async def test_an_object_that_the_account_does_not_have_is_said_to_be_missing(
    shop: Shop, kind: TransactionKind
) -> None:
    asked = replace(shop.a_charge("pm_card_visa"), kind=kind, parent_reference="pi_3Parent")
    shop.wire.broken = lambda _: httpx.Response(404, content=error("resource_missing"))

    assert await shop.gateway.look_up(asked) == NotFound(by_id=True)


async def test_nothing_secret_is_shown_or_logged(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    shop.wire.broken = lambda _: httpx.Response(402, content=card_error("authentication_required"))

    outcome = await shop.gateway.send(shop.a_charge("tok_1VerySecret"))

    shown = f"{outcome!r} {shop.gateway!r} {vars(shop.gateway)!r} {caplog.text}"
    assert isinstance(outcome, ActionRequired)
    for secret in ("sk_test_emulator", "pi_3Seven_secret_9", "tok_1VerySecret"):
        assert secret not in shown
