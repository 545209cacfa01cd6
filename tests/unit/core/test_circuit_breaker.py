"""A provider that does not answer is left alone, and nothing is recorded for it."""

from datetime import timedelta
from typing import Any

import pytest

from order_core.circuit_breaker import PAUSE, SILENCES, CircuitBreaker
from order_core.errors import ProviderUnavailable
from order_core.order_status import OrderStatus
from order_core.outcomes import NotSent, OutcomeUnknown
from order_memory import reactions


async def _silent(shop: Any) -> None:
    shop.gateway.react(*[reactions.LOSE_REQUEST] * SILENCES)
    for _ in range(SILENCES):
        await shop.place(allow_duplicate=True)


async def test_after_many_silences_nothing_new_is_begun(shop: Any) -> None:
    await _silent(shop)
    orders, asked = len(shop.all_orders), len(shop.gateway.asked)

    with pytest.raises(ProviderUnavailable):
        await shop.place(allow_duplicate=True)
    assert (len(shop.all_orders), len(shop.gateway.asked)) == (orders, asked)


async def test_a_key_that_the_provider_does_not_take_opens_the_circuit_at_once(shop: Any) -> None:
    class Locked(type(shop.gateway)):  # type: ignore[misc] # Our key is wrong.
        async def send(self, transaction: Any, /) -> Any:
            return NotSent("misconfigured:invalid_api_key")

    shop.gateway = Locked(shop.clock)
    shop.core = shop.assembled()
    first = await shop.place()

    assert first.status is OrderStatus.AWAITING_PAYMENT
    with pytest.raises(ProviderUnavailable):
        await shop.place(allow_duplicate=True)


async def test_one_call_tries_after_the_pause_and_its_answer_closes_the_circuit(
    shop: Any,
) -> None:
    await _silent(shop)
    shop.clock.advance(PAUSE)
    order = await shop.place(allow_duplicate=True)
    next_one = await shop.place(allow_duplicate=True)

    assert (order.status, next_one.status) == (OrderStatus.PENDING, OrderStatus.PENDING)


async def test_an_order_that_was_placed_with_the_key_is_still_answered(shop: Any) -> None:
    first = await shop.place(key="k-1")
    await _silent(shop)

    assert (await shop.place(key="k-1")).id == first.id


async def test_what_is_begun_is_finished_though_the_circuit_is_open(shop: Any) -> None:
    await _silent(shop)
    await shop.work_until(passed=timedelta(hours=2))

    assert {order.status for order in shop.all_orders} <= {
        OrderStatus.PENDING,
        OrderStatus.PAYMENT_FAILED,
    }
    shop.assert_order_and_money_agree()


async def test_a_provider_that_answers_unclearly_is_not_silent(shop: Any) -> None:
    breaker = CircuitBreaker(shop.clock)
    for _ in range(SILENCES - 1):
        breaker.heard("scripted", OutcomeUnknown("no_answer"))
    breaker.heard("scripted", OutcomeUnknown("token_already_used", answered=True))
    for _ in range(SILENCES - 1):
        breaker.heard("scripted", OutcomeUnknown("no_answer"))
    breaker.refuse_if_open("scripted")

    breaker.heard("scripted", OutcomeUnknown("no_answer"))
    with pytest.raises(ProviderUnavailable):
        breaker.refuse_if_open("scripted")
