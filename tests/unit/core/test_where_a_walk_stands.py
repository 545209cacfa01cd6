"""A walk begins where the record of events was taken in, whichever process walks, and when."""

import asyncio
from copy import deepcopy
from datetime import timedelta
from typing import Any, Final

import pytest

from order_core.errors import ConcurrentUpdate, EventsUnavailable, StoreUnavailable
from order_core.payment_terms import Policy
from order_core.ports import EventRecord, WebhookEvent
from order_core.use_cases.reconcile import (
    EVERY,
    LONGEST_REACH,
    OVERLAP,
    PAUSE_AFTER_A_FAILURE,
    REACH,
    YOUNGEST,
)
from order_memory import InMemoryOrders, ManualClock
from tests.unit.core.recorded_events import (
    MOMENT,
    Forgetful,
    Record,
    Slow,
    reconciling,
    refund,
    walked,
)

RECORD: Final = EventRecord("scripted", "test", "default")
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


async def stands(shop: Any, record: EventRecord = RECORD) -> Any:
    """Up to when the record was taken in; None: nobody has said."""
    return (await shop.orders.taken_in(record)).until


def backed_up(shop: Any) -> InMemoryOrders:
    """The store as it is now, by a clock that goes on."""
    orders = InMemoryOrders(shop.clock)
    orders.store = deepcopy(shop.orders.store, {id(shop.clock): shop.clock})
    return orders


class Odd:
    """The shop's orders, to which one call brings trouble for as long as it lasts."""

    def __init__(self, shop: Any, call: str, trouble: Exception) -> None:
        self._orders, self._call, self._trouble = shop.orders, call, trouble
        self.is_mended = False

    def __getattr__(self, name: str) -> Any:
        if name == self._call and not self.is_mended:
            raise self._trouble
        return getattr(self._orders, name)


# Where a walk begins ----------------------------------------------------------------------


async def test_the_first_walk_of_all_looks_two_days_back(shop: Any) -> None:
    record = Record(shop)
    assert await stands(shop) is None

    await walked(reconciling(shop, record))

    now = shop.clock.now()
    assert record.asked == [(now - REACH, now - YOUNGEST, None)]
    assert await stands(shop) == now - YOUNGEST


async def test_after_an_outage_of_days_the_walk_begins_where_the_last_one_ended(shop: Any) -> None:
    record = Record(shop)
    core = reconciling(shop, record)
    await walked(core)
    (_, read_to, _) = record.asked[0]

    shop.clock.advance(timedelta(days=9))
    await walked(core)
    assert record.asked[1][0] == read_to - OVERLAP

    shop.clock.advance(timedelta(days=99))
    await walked(core)
    assert record.asked[2][0] == shop.clock.now() - LONGEST_REACH


async def test_after_five_days_without_a_process_the_next_one_finds_what_was_lost(
    shop: Any,
) -> None:
    order = await shop.place()
    record = Record(shop)
    await walked(reconciling(shop, record))
    read_to = await stands(shop)
    record.log.enter(refund(500, "re-1"))

    shop.clock.advance(5 * DAY)
    await walked(reconciling(shop, record))

    assert (await shop.orders.get(order.id)).refunded_minor_units == 500
    assert record.asked[-1] == (read_to - OVERLAP, shop.clock.now() - YOUNGEST, None)
    assert await stands(shop) == shop.clock.now() - YOUNGEST


async def test_a_process_that_starts_every_day_reads_no_more_than_one_that_stays(
    shop: Any,
) -> None:
    record = Record(shop)
    for _ in range(3):
        await walked(reconciling(shop, record))
        assert record.asked[-1][0] == shop.clock.now() - REACH
        shop.clock.advance(EVERY)


async def test_what_nobody_can_read_any_more_is_said(
    shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    record = Record(shop)
    await walked(reconciling(shop, record))
    read_to = await stands(shop)

    shop.clock.advance(LONGEST_REACH)
    await walked(reconciling(shop, record))

    earliest = shop.clock.now() - LONGEST_REACH
    assert (
        f"what scripted told from {read_to} to {earliest} can be read no more; "
        "its dashboard may still show it"
    ) in caplog.text


async def test_each_account_and_installation_stands_where_it_was_read(shop: Any) -> None:
    record = Record(shop)
    await walked(reconciling(shop, record, policy=Policy(installation="elsewhere")))
    assert await stands(shop) is None

    await walked(reconciling(shop, record))
    assert await stands(shop) == shop.clock.now() - YOUNGEST
    assert await stands(shop, EventRecord("scripted", "another", "default")) is None


def test_a_record_of_a_provider_without_a_gateway_is_refused(shop: Any) -> None:
    with pytest.raises(ValueError, match="no gateways, of \\['other'\\]"):
        reconciling(shop, Record(shop), Record(shop), gateways={"scripted": shop.gateway})


# After a restore --------------------------------------------------------------------------


async def test_what_a_restored_backup_lost_is_found_by_itself(shop: Any) -> None:
    order = await shop.place()
    record = Record(shop)
    await walked(reconciling(shop, record))
    backup = backed_up(shop)
    record.log.enter(refund(500, "re-1"))
    for _ in range(6):
        shop.clock.advance(EVERY)
        await walked(reconciling(shop, record))
    assert (await shop.orders.get(order.id)).refunded_minor_units == 500

    shop.orders = backup
    assert (await shop.orders.get(order.id)).refunded_minor_units == 0
    await walked(reconciling(shop, record))

    assert (await shop.orders.get(order.id)).refunded_minor_units == 500


async def test_a_walk_under_which_the_store_was_put_back_does_not_say_that_it_read_all(
    shop: Any,
) -> None:
    order = await shop.place()
    record = Record(shop)
    await walked(reconciling(shop, record))
    backup, read_to = backed_up(shop), await stands(shop)
    record.log.enter(refund(500, "re-1"))
    shop.clock.advance(4 * DAY)
    await walked(reconciling(shop, record))
    shop.clock.advance(EVERY)
    for number in range(3):
        record.log.enter(refund(10, f"re-late-{number}"))
    shop.clock.advance(2 * HOUR)

    core = reconciling(shop, record, orders=_Standing(shop))
    await core.reconcile(limit=1)
    shop.orders = backup
    await walked(core)
    assert await stands(shop) == read_to

    await walked(reconciling(shop, record))
    assert (await shop.orders.get(order.id)).refunded_minor_units == 530


class _Standing:
    """The shop's orders, whatever store stands behind them by now."""

    def __init__(self, shop: Any) -> None:
        self._shop = shop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shop.orders, name)


# Several walks, and walks that do not end ---------------------------------------------------


async def test_of_two_walks_at_once_both_end_and_the_next_one_misses_nothing(shop: Any) -> None:
    order = await shop.place()
    record = Record(shop, refund(500, "re-1"), refund(300, "re-2"), refund(100, "re-3"))
    cores = [reconciling(shop, record, orders=Slow(shop)) for _ in range(2)]

    await asyncio.gather(*(walked(core) for core in cores))

    assert await stands(shop) == shop.clock.now() - YOUNGEST
    assert (await shop.orders.get(order.id)).refunded_minor_units == 900


async def test_a_walk_that_was_overtaken_leaves_the_place_where_the_other_put_it(
    shop: Any,
) -> None:
    record = Record(shop, *(WebhookEvent(f"evt-{n}", "customer.created") for n in range(9)))
    slow = reconciling(shop, record)
    await slow.reconcile()
    shop.clock.advance(3 * HOUR)
    await walked(reconciling(shop, record))
    read_to = await stands(shop)

    await walked(slow)

    assert await stands(shop) == read_to == shop.clock.now() - YOUNGEST


async def test_a_process_that_dies_in_the_middle_leaves_the_place_where_it_was(shop: Any) -> None:
    order = await shop.place()
    record = Record(shop)
    await walked(reconciling(shop, record))
    read_to = await stands(shop)
    for number in range(5):
        record.log.enter(refund(10, f"re-{number}"))
    shop.clock.advance(5 * DAY)

    dies = reconciling(shop, record)
    assert await dies.reconcile(limit=20) == 2
    assert await stands(shop) == read_to

    await walked(reconciling(shop, record))
    assert record.asked[-1][0] == read_to - OVERLAP
    assert (await shop.orders.get(order.id)).refunded_minor_units == 50


async def test_a_walk_that_fails_half_way_does_not_move_the_place(shop: Any) -> None:
    record = Record(shop)
    core = reconciling(shop, record)
    await walked(core)
    read_to = await stands(shop)
    for number in range(5):
        record.log.enter(WebhookEvent(f"evt-{number}", "customer.created"))
    shop.clock.advance(5 * DAY)

    await core.reconcile()
    record.fails_with = [EventsUnavailable("it says 503")]
    await walked(core)
    assert await stands(shop) == read_to

    shop.clock.advance(PAUSE_AFTER_A_FAILURE)
    await walked(core)
    assert record.asked[-1][0] == read_to - OVERLAP
    assert await stands(shop) == shop.clock.now() - YOUNGEST


# What was not taken in ----------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [ConcurrentUpdate("o-1"), ZeroDivisionError("a bug")])
async def test_an_event_that_could_not_be_taken_in_keeps_the_place_until_it_was(
    shop: Any, trouble: Exception
) -> None:
    order = await shop.place()
    record = Record(shop)
    await walked(reconciling(shop, record))
    read_to = await stands(shop)
    record.log.enter(refund(500, "re-1"))
    shop.clock.advance(2 * HOUR)

    orders = Odd(shop, "receive", trouble)
    core = reconciling(shop, record, orders=orders)
    for _ in range(5):
        shop.clock.advance(EVERY)
        await walked(core)
        assert await stands(shop) == read_to

    orders.is_mended = True
    shop.clock.advance(EVERY)
    await walked(core)
    assert await shop.orders.remembered("scripted", ["evt-re-1"])
    assert (await shop.orders.get(order.id)).refunded_minor_units == 500
    assert await stands(shop) == shop.clock.now() - YOUNGEST


async def test_the_place_moves_when_all_that_was_missed_is_stored_and_not_before(
    shop: Any,
) -> None:
    await shop.place()
    record = Record(shop, *(refund(10, f"re-{n}") for n in range(5)))
    core = reconciling(shop, record)

    for _ in range(4):
        await core.reconcile(limit=1)
        assert await stands(shop) is None
    await core.reconcile(limit=1)
    assert await shop.orders.remembered("scripted", [f"evt-re-{n}" for n in range(5)]) == {
        f"evt-re-{n}" for n in range(5)
    }
    assert await stands(shop) is not None


@pytest.mark.parametrize("call", ["taken_in", "note_taken_in"])
async def test_while_the_store_is_away_the_walk_waits_and_does_not_begin_again(
    shop: Any, call: str
) -> None:
    record = Record(shop)
    core = reconciling(shop, record, orders=Forgetful(shop, call))

    with pytest.raises(StoreUnavailable):
        await core.reconcile()
    assert await stands(shop) is None
    await walked(core)

    assert len(record.asked) == 1
    assert await stands(shop) == shop.clock.now() - YOUNGEST


async def test_a_place_that_was_stored_though_its_answer_was_lost_is_good(shop: Any) -> None:
    record = Record(shop)
    core = reconciling(shop, record, orders=_Unheard(shop))

    with pytest.raises(StoreUnavailable):
        await core.reconcile()
    await walked(core)

    assert len(record.asked) == 1
    assert await stands(shop) == shop.clock.now() - YOUNGEST


class _Unheard:
    """The shop's orders; that the place was noted is not heard the first time."""

    def __init__(self, shop: Any) -> None:
        self._orders, self._heard = shop.orders, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._orders, name)

    async def note_taken_in(self, record: EventRecord, /, **given: Any) -> bool:
        noted: bool = await self._orders.note_taken_in(record, **given)
        if not self._heard:
            self._heard = True
            raise StoreUnavailable("the answer is lost")
        return noted


# Wrong clocks -------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong_by", [9 * DAY, 9 * HOUR, -9 * HOUR, -40 * DAY], ids=str)
async def test_a_walk_goes_by_the_clock_of_the_store(shop: Any, wrong_by: timedelta) -> None:
    record = Record(shop)
    clock = ManualClock(shop.clock.now() + wrong_by)

    await walked(reconciling(shop, record, clock=clock))

    now = shop.clock.now()
    assert record.asked == [(now - REACH, now - YOUNGEST, None)]
    assert await stands(shop) == now - YOUNGEST


@pytest.mark.parametrize("away", [HOUR, 8 * HOUR, 3 * DAY, 9 * DAY, 20 * DAY], ids=str)
async def test_a_clock_of_the_store_that_was_hours_ahead_makes_no_walk_skip_anything(
    shop: Any, away: timedelta
) -> None:
    order = await shop.place()
    record = Record(shop)
    shop.orders.store.clock = ManualClock(shop.clock.now() + 23 * HOUR)
    await walked(reconciling(shop, record))
    record.log.enter(refund(500, "re-1"))

    shop.orders.store.clock = shop.clock
    shop.clock.advance(away + YOUNGEST)
    await walked(reconciling(shop, record))

    assert (await shop.orders.get(order.id)).refunded_minor_units == 500
    assert await stands(shop) == shop.clock.now() - YOUNGEST


async def test_a_place_in_the_future_proves_nothing_and_is_put_right(shop: Any) -> None:
    record = Record(shop)
    ahead = shop.clock.now() + MOMENT
    await shop.orders.note_taken_in(RECORD, until=ahead, before=None)

    await walked(reconciling(shop, record))

    now = shop.clock.now()
    assert record.asked == [(now - LONGEST_REACH, now - YOUNGEST, None)]
    assert await stands(shop) == now - YOUNGEST
