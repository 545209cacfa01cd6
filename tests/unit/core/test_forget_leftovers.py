"""What is too old to matter is forgotten, a few at a time, and the store is left in peace."""

from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import StoreUnavailable
from order_core.ports import ReceivedEvent
from order_core.use_cases import ForgetLeftovers
from order_core.use_cases.forget_leftovers import KEPT_FOR, PAUSE
from order_memory import InMemoryLeftovers

_SECOND = timedelta(seconds=1)


async def received(shop: Any, count: int) -> None:
    for number in range(count):
        event = ReceivedEvent("scripted", f"e-{number}", "paid", shop.clock.now(), "settled")
        await shop.orders.receive(event)


def forgetting(shop: Any) -> ForgetLeftovers:
    return ForgetLeftovers(InMemoryLeftovers(shop.orders), shop.clock)


async def test_nothing_goes_before_its_time_and_everything_after_it(shop: Any) -> None:
    await received(shop, 2)
    shop.clock.advance(KEPT_FOR)
    young = await forgetting(shop)()
    shop.clock.advance(_SECOND)

    assert (young, await forgetting(shop)()) == (0, 2)


async def test_many_go_batch_after_batch_and_then_it_rests(shop: Any) -> None:
    await received(shop, 5)
    shop.clock.advance(KEPT_FOR + _SECOND)
    forget = forgetting(shop)

    assert [await forget(limit=2) for _ in range(4)] == [2, 2, 1, 0]

    await received(shop, 1)
    shop.clock.advance(PAUSE - _SECOND)
    resting = await forget(limit=2)
    shop.clock.advance(KEPT_FOR)
    assert (resting, await forget(limit=2)) == (0, 1)


async def test_a_clock_that_was_set_back_does_not_make_it_rest_longer(shop: Any) -> None:
    await received(shop, 1)
    shop.clock.advance(KEPT_FOR + _SECOND)
    forget = forgetting(shop)
    forget._rests_until = shop.clock.now() + 2 * PAUSE  # noqa: SLF001 - by a clock ahead of this

    assert await forget() == 1


class _Away:
    async def forget_events(self, **_: Any) -> int:
        raise StoreUnavailable

    async def forget_contents(self, **_: Any) -> int:
        raise AssertionError("nobody asks a store that is away a second time")


async def test_a_store_that_is_away_is_asked_again_in_the_next_round(shop: Any) -> None:
    forget = ForgetLeftovers(_Away(), shop.clock)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await forget()


async def test_a_shop_without_leftovers_forgets_nothing(shop: Any) -> None:
    assert await shop.core.forget() == 0
