"""Whatever PayPal answers, and if it never does, it is exactly one outcome."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from order_core.money import Money
from order_core.outcomes import (
    Declined,
    InProgress,
    NotSent,
    Outcome,
    OutcomeUnknown,
    Pending,
    RateLimited,
    Succeeded,
)
from order_paypal import ApiAnswer, ApiRequest, NoAnswer, PayPalGateway, RequestNotSent
from tests.integration.paypal_payments import a_charge
from tests.integration.paypal_scripted import ScriptedApi, a_scripted_gateway, capture_of
from tests.integration.paypal_wire import PayPalWire

pytest_plugins = ["tests.integration.paypal_desk"]


def _refused(status: int, issue: str, name: str = "UNPROCESSABLE_ENTITY") -> ApiAnswer:
    return ApiAnswer(status, {"name": name, "details": [{"issue": issue}]})


_ERRORS: list[tuple[ApiAnswer | Exception, Outcome]] = [
    (ApiAnswer(201, None), OutcomeUnknown("unreadable_answer")),
    (ApiAnswer(201, {}), OutcomeUnknown("unreadable_answer")),
    (ApiAnswer(302, {}), OutcomeUnknown("status_302")),
    (ApiAnswer(400, None), OutcomeUnknown("status_400:")),
    (
        _refused(400, "INVALID_PARAMETER_VALUE", "INVALID_REQUEST"),
        Declined("invalid_request:INVALID_PARAMETER_VALUE"),
    ),
    (ApiAnswer(401, {}), NotSent("misconfigured:401")),
    (_refused(403, "PERMISSION_DENIED"), NotSent("misconfigured:PERMISSION_DENIED")),
    (ApiAnswer(404, {"name": "RESOURCE_NOT_FOUND"}), Declined("no_such_payment")),
    (ApiAnswer(404, {"message": "no such host"}), OutcomeUnknown("status_404")),
    (_refused(409, "PREVIOUS_REQUEST_IN_PROGRESS"), InProgress()),
    (ApiAnswer(409, {}), OutcomeUnknown("status_409:")),
    (_refused(422, "ORDER_COMPLETION_IN_PROGRESS"), InProgress()),
    (_refused(422, "PAYER_CANNOT_PAY"), Declined("payer_cannot_pay")),
    (_refused(422, "TRANSACTION_LIMIT_EXCEEDED"), Declined("limit_exceeded", retryable=True)),
    (_refused(422, "SOMETHING_NEW"), OutcomeUnknown("status_422:SOMETHING_NEW")),
    (_refused(422, "evil\nlog line"), OutcomeUnknown("status_422:unreadable")),
    (ApiAnswer(429, {}, 3.0), RateLimited(3.0)),
    (ApiAnswer(500, {}), OutcomeUnknown("status_500")),
    (ApiAnswer(503, None), OutcomeUnknown("status_503")),
    (NoAnswer("connection_failed:ReadTimeout"), OutcomeUnknown("connection_failed:ReadTimeout")),
    (RequestNotSent("cannot_connect:X"), NotSent("cannot_connect:X")),
    (capture_of("PENDING"), Pending("5O190127TN364715T")),
    (capture_of("FAILED"), Declined("declined")),
    (capture_of("BRAND_NEW"), OutcomeUnknown("unreadable_status")),
    (capture_of("COMPLETED", amount={}), OutcomeUnknown("unreadable_capture")),
    (capture_of("COMPLETED", amount="25"), OutcomeUnknown("unreadable_capture")),
    (
        capture_of("REFUNDED"),
        Succeeded("2GG279541U471931P", Money(2500, "EUR"), "tx-5"),
    ),
    (
        capture_of("COMPLETED", custom_id=7),
        Succeeded("2GG279541U471931P", Money(2500, "EUR"), ""),
    ),
]


@pytest.mark.parametrize(("answer", "outcome"), _ERRORS)
async def test_an_answer_is_exactly_one_outcome(
    answer: ApiAnswer | Exception, outcome: Outcome
) -> None:
    gateway = a_scripted_gateway(answer)
    step = replace(a_charge(id="tx-5"), step=2, provider_reference="5O190127TN364715T")

    assert await gateway.send(step) == outcome
    await gateway.close()


async def test_what_was_left_unasked_after_a_change_is_unknown_and_never_not_sent() -> None:
    gateway = a_scripted_gateway(
        _refused(422, "ORDER_ALREADY_CAPTURED"), RequestNotSent("cannot_connect")
    )
    step = replace(a_charge(), step=2, provider_reference="5O190127TN364715T")

    assert await gateway.send(step) == OutcomeUnknown("cannot_connect")
    await gateway.close()


@pytest.mark.parametrize(
    "answer", [ApiAnswer(404, None), ApiAnswer(500, {}), ApiAnswer(200, None), NoAnswer("x")]
)
async def test_a_look_up_that_fails_proves_nothing(answer: ApiAnswer | Exception) -> None:
    gateway = a_scripted_gateway(answer)
    step = replace(a_charge(), step=2, provider_reference="5O190127TN364715T")

    assert isinstance(await gateway.look_up(step), OutcomeUnknown)
    await gateway.close()


# Threads ----------------------------------------------------------------------------------


class SlowApi(ScriptedApi):
    """Answers once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def call(
        self, request: ApiRequest, /, *, until: float, may_leave: Callable[[], bool]
    ) -> ApiAnswer:
        self.asked.append(request)
        self.go_on.wait(5)
        return ApiAnswer(500, {})


async def test_without_a_free_slot_nothing_is_handed_to_a_thread_and_nothing_leaves_later() -> None:
    api = SlowApi()
    gateway = PayPalGateway(api, account="slow", slots=1, call_seconds=0.3)
    first = asyncio.create_task(gateway.send(a_charge()))
    await asyncio.sleep(0.05)

    second = await gateway.send(a_charge())
    api.go_on.set()

    assert second == NotSent("no_free_connection")
    await first
    await gateway.close()
    assert len(api.asked) == 1


async def test_a_thread_that_hangs_is_given_up_as_unknown_and_keeps_its_slot() -> None:
    api = SlowApi()
    gateway = PayPalGateway(api, account="slow", slots=1, call_seconds=0.1)
    begun_at = time.monotonic()

    outcome = await gateway.send(a_charge())

    assert outcome == OutcomeUnknown("no_answer_in_time")
    assert time.monotonic() - begun_at < 2
    assert await gateway.send(a_charge()) == NotSent("no_free_connection")
    api.go_on.set()
    await gateway.close()


async def test_time_may_end_while_the_token_is_fetched(wire: PayPalWire) -> None:
    charge = a_charge()
    # In time when it is begun, too late when the request itself would leave.
    moments = iter([charge.recorded_at, charge.send_until])
    gateway = wire.gateway(now=lambda: next(moments))

    assert await gateway.send(charge) == NotSent("too_late")
    assert wire.asked("POST") == []
    await gateway.close()
