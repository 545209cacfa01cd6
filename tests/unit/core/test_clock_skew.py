"""Processes whose clocks differ conclude nothing too early, or rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from order_core.clock_check import EVERY, ClockCheck
from order_core.errors import ClockAskew
from order_core.order_status import OrderStatus
from order_core.outcomes import Succeeded
from order_core.payment import TransactionStatus
from order_core.payment_terms import GatewayProfile, PaymentTerms, Policy
from order_memory import ManualClock, reactions
from tests.unit.core.telling_and_deciding import Provider, without_look_ups

SKEW = timedelta(seconds=30)


@dataclass
class ClockThatDiffers:
    """Shows what the right clock shows, and so much more."""

    right: ManualClock
    by: timedelta

    def now(self) -> datetime:
        return self.right.now() + self.by

    async def sleep(self, seconds: float, /) -> None:
        await self.right.sleep(seconds)


@dataclass
class SlowStore:
    """Answers with the right time, after a while on the way there and back."""

    right: ManualClock
    there: float = 0.0
    back: float = 0.0
    asked: int = 0

    async def now(self) -> datetime:
        self.asked += 1
        await self.right.sleep(self.there)
        now = self.right.now()
        await self.right.sleep(self.back)
        return now


async def test_a_worker_whose_clock_is_ahead_waits_for_the_slowest_sender(shop: Any) -> None:
    opened = await shop.place(payment_method="lost_request")
    proven = opened.charge.send_until + opened.charge.horizon
    ahead = shop.assembled(clock=ClockThatDiffers(shop.clock, SKEW))
    statuses = []
    for moment in (proven - timedelta(seconds=1), proven + SKEW):
        shop.clock.set(moment)
        await ahead.recover()
        statuses.append((await shop.orders.get(opened.id)).charge.status)

    assert statuses == [TransactionStatus.UNKNOWN, TransactionStatus.FAILED]


async def test_a_worker_whose_clock_is_behind_looks_after_what_the_store_calls_due(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="lost_answer")
    shop.clock.set(opened.charge.attend_at)
    behind = shop.assembled(clock=ClockThatDiffers(shop.clock, -SKEW / 2))

    assert await behind.recover() == 1
    assert (await shop.orders.get(opened.id)).status is OrderStatus.PENDING


async def test_a_worker_whose_clock_is_behind_does_not_claim_the_same_order_over_and_over(
    shop: Any,
) -> None:
    opened = await shop.place(payment_method="lost_request")
    shop.clock.set(opened.charge.attend_at)
    behind = shop.assembled(clock=ClockThatDiffers(shop.clock, -SKEW / 2))

    assert [await behind.recover() for _ in range(4)] == [1, 0, 0, 0]
    assert (await shop.orders.get(opened.id)).charge.attempts == 1


@pytest.mark.parametrize("by", [SKEW, -SKEW])
async def test_a_worker_whose_clock_is_wrong_claims_nothing(shop: Any, by: timedelta) -> None:
    opened = await shop.place(payment_method="lost_answer")
    shop.clock.advance(timedelta(minutes=1))
    wrong = shop.assembled(
        clock=ClockThatDiffers(shop.clock, by), store_clock=SlowStore(shop.clock)
    )
    right = shop.assembled(store_clock=SlowStore(shop.clock))

    with pytest.raises(ClockAskew):
        await wrong.recover()
    assert (await shop.orders.get(opened.id)).version == opened.version
    assert await right.recover() == 1


@pytest.mark.parametrize(
    ("ahead", "there", "back", "is_wrong"),
    [
        (0.0, 0.0, 0.0, False),
        (14.9, 0.0, 0.0, False),
        (15.1, 0.0, 0.0, True),
        (-14.9, 0.0, 0.0, False),
        (-15.1, 0.0, 0.0, True),
        # Whatever part of a slow answer may explain is no proof of a wrong clock.
        (0.0, 40.0, 40.0, False),
        (-20.0, 0.0, 6.0, False),
        (20.0, 6.0, 0.0, False),
        (22.0, 6.0, 0.0, True),
    ],
)
async def test_a_clock_is_wrong_when_no_delay_explains_the_difference(
    ahead: float, there: float, back: float, *, is_wrong: bool
) -> None:
    right = ManualClock()
    clock = ClockThatDiffers(right, timedelta(seconds=ahead))
    check = ClockCheck(clock, SlowStore(right, there, back), SKEW)
    if not is_wrong:
        await check()
        return
    with pytest.raises(ClockAskew) as wrong:
        await check()
    assert (wrong.value.seconds > 0) is (ahead > 0)


async def test_a_right_clock_is_compared_now_and_then_and_a_wrong_one_each_time() -> None:
    right = ManualClock()
    clock, store = ClockThatDiffers(right, timedelta(0)), SlowStore(right)
    check = ClockCheck(clock, store, SKEW)
    await check()
    await check()
    assert store.asked == 1
    right.advance(EVERY)
    await check()
    assert store.asked == 2
    clock.by = timedelta(hours=-1)
    for _ in range(2):
        with pytest.raises(ClockAskew):
            await check()
    assert store.asked == 4
    clock.by = timedelta(0)
    await check()
    assert store.asked == 5


def test_the_windows_leave_room_for_the_skew() -> None:
    gateway = GatewayProfile("p", "a", key_life=timedelta(minutes=41))
    roomy = PaymentTerms(gateway, Policy(clock_skew=timedelta(seconds=59)))
    at = ManualClock().now()

    assert roomy.reversal_sent_until(at) == at + timedelta(minutes=11, seconds=-59)
    with pytest.raises(ValueError, match="clock skew"):
        PaymentTerms(gateway, Policy(clock_skew=timedelta(minutes=1)))


async def test_what_a_process_asked_whose_clock_is_ahead_may_be_what_is_told(shop: Any) -> None:
    """By the clock of whoever hears of it, it was told before it was asked for."""
    provider = Provider(without_look_ups(shop))
    placed = await shop.place()
    shop.gateway.react(reactions.LOSE_ANSWER)
    ahead = shop.assembled(clock=ClockThatDiffers(shop.clock, SKEW))
    asked = (await ahead.cancel(placed.id, customer_id="ann")).transactions[-1]
    done = Succeeded("re-1", asked.amount, "")
    await provider.tells(asked.kind, done, parent_reference=asked.parent_reference)
    order = await shop.orders.get(placed.id)

    assert len(order.transactions) == 2
    assert order.transaction(asked.id).provider_reference == "re-1"
