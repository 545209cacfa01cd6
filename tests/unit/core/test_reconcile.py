"""What no delivered event has told is found in the provider's own record, once a day."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from order_core.errors import EventsUnavailable, StoreUnavailable
from order_core.order import PaymentStatus
from order_core.payment_terms import Policy
from order_core.ports import WebhookEvent
from order_core.use_cases.reconcile import (
    EVERY,
    LONGEST_PAUSE_AFTER_A_FAILURE,
    PAUSE_AFTER_A_FAILURE,
    REACH,
    YOUNGEST,
)
from order_memory import ManualClock
from tests.unit.core.recorded_events import (
    MOMENT,
    Forgetful,
    Record,
    Slow,
    reconciling,
    refund,
    walked,
)


async def test_a_refund_at_the_dashboard_whose_event_was_lost_is_booked(shop: Any) -> None:
    order = await shop.place()
    core = reconciling(shop, Record(shop, refund(500, "re-1")))

    await walked(core)

    order = await shop.orders.get(order.id)
    assert order.refunded_minor_units == 500
    assert order.payment_status is PaymentStatus.PARTIALLY_REFUNDED
    assert await shop.orders.remembered("scripted", ["evt-re-1"])


async def test_an_event_that_came_is_not_taken_in_again(shop: Any) -> None:
    await shop.place()
    record = Record(shop, refund(500, "re-1"), refund(300, "re-2"), refund(100, "re-3"))
    core = reconciling(shop, record)
    await core.reconcile.take_in_event("scripted", record.log.event("evt-re-2"))

    taken = await walked(core)

    assert sum(taken) == 2
    assert len(record.asked) == 2


async def test_whoever_starts_anew_walks_again_and_finds_nothing_new(shop: Any) -> None:
    order = await shop.place()
    record = Record(shop, refund(500, "re-1"), refund(300, "re-2"))
    await walked(reconciling(shop, record))

    assert sum(await walked(reconciling(shop, record))) == 0
    assert (await shop.orders.get(order.id)).refunded_minor_units == 800


async def test_a_walk_reaches_two_days_back_and_leaves_the_last_hour_to_come_by_itself(
    shop: Any,
) -> None:
    record = Record(shop)

    await walked(reconciling(shop, record))

    now = shop.clock.now()
    assert record.asked == [(now - REACH, now - YOUNGEST, None)]


async def test_the_next_walk_is_a_day_later(shop: Any) -> None:
    record = Record(shop)
    core = reconciling(shop, record)
    await walked(core)

    shop.clock.advance(EVERY - MOMENT)
    await walked(core)
    assert len(record.asked) == 1

    shop.clock.advance(MOMENT)
    await walked(core)
    assert len(record.asked) == 2


async def test_a_clock_that_is_set_back_does_not_lengthen_the_pause(shop: Any) -> None:
    record = Record(shop)
    reconcile = reconciling(shop, record).reconcile
    reconcile.clock = ManualClock(shop.clock.now() + timedelta(days=300))
    await reconcile()

    reconcile.clock = shop.clock
    await reconcile()

    assert len(record.asked) == 2


async def test_at_most_the_limit_is_taken_in_at_once(shop: Any) -> None:
    await shop.place()
    core = reconciling(shop, Record(shop, *(refund(10, f"re-{n}") for n in range(5))))

    assert [await core.reconcile(limit=1) for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]


async def test_a_provider_that_cannot_be_asked_is_asked_from_the_beginning_later(
    shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order = await shop.place()
    record = Record(shop, *(refund(10, f"re-{n}") for n in range(5)))
    core = reconciling(shop, record)
    await core.reconcile(limit=20)
    record.fails_with = [EventsUnavailable("it says 503")]

    await walked(core)
    assert (await shop.orders.get(order.id)).refunded_minor_units == 20
    assert "the events of scripted are read later: it says 503" in caplog.text

    shop.clock.advance(PAUSE_AFTER_A_FAILURE)
    await walked(core)
    pages = [page for _, _, page in record.asked]
    assert pages == [None, "evt-re-1", None, "evt-re-1", "evt-re-3"]
    assert (await shop.orders.get(order.id)).refunded_minor_units == 50


async def test_a_provider_that_goes_on_failing_is_asked_more_rarely(shop: Any) -> None:
    record = Record(shop)
    record.fails_with = [EventsUnavailable("never switched on")] * 99
    core = reconciling(shop, record)
    for _ in range(24 * 12):
        await core.reconcile()
        shop.clock.advance(timedelta(minutes=5))

    # At once, after 15 and 45 minutes, after 1:45 and 3:45 hours, then each four hours.
    assert len(record.asked) == 10

    record.fails_with = []
    shop.clock.advance(LONGEST_PAUSE_AFTER_A_FAILURE)
    await core.reconcile()
    record.fails_with = [EventsUnavailable("away")]
    shop.clock.advance(EVERY)
    await core.reconcile()
    shop.clock.advance(PAUSE_AFTER_A_FAILURE)
    await core.reconcile()
    assert len(record.asked) == 13


async def test_a_provider_that_breaks_stands_in_nobodys_way(
    shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = Record(shop), Record(shop)
    broken.fails_with = [ZeroDivisionError("a bug")] * 9

    await walked(reconciling(shop, broken, other))

    assert len(broken.asked) == 1
    assert len(other.asked) == 1
    assert "the events of scripted could not be read" in caplog.text


async def test_what_two_processes_find_at_once_is_booked_once(shop: Any) -> None:
    order = await shop.place()
    record = Record(shop, refund(500, "re-1"), refund(300, "re-2"), refund(100, "re-3"))
    cores = [reconciling(shop, record, orders=Slow(shop)) for _ in range(2)]

    await asyncio.gather(*(walked(core) for core in cores))

    order = await shop.orders.get(order.id)
    assert order.refunded_minor_units == 900
    assert len(order.transactions) == 4


async def test_what_a_process_had_booked_when_it_died_is_not_booked_again_by_the_next(
    shop: Any,
) -> None:
    order = await shop.place()
    record = Record(shop, refund(500, "re-1"))
    with pytest.raises(StoreUnavailable):
        # It dies between the effect and the memory of it.
        await reconciling(shop, record, orders=Forgetful(shop, "receive")).reconcile()
    assert (await shop.orders.get(order.id)).refunded_minor_units == 500
    assert not await shop.orders.remembered("scripted", ["evt-re-1"])

    await walked(reconciling(shop, record))

    assert (await shop.orders.get(order.id)).refunded_minor_units == 500
    assert await shop.orders.remembered("scripted", ["evt-re-1"])


@pytest.mark.parametrize("call", ["find_by_reference", "receive", "remembered"])
async def test_nothing_is_passed_over_while_the_store_is_away(shop: Any, call: str) -> None:
    order = await shop.place()
    record = Record(shop, refund(500, "re-1"), refund(300, "re-2"))
    core = reconciling(shop, record, orders=Forgetful(shop, call))

    with pytest.raises(StoreUnavailable):
        await core.reconcile(limit=20)
    await walked(core)

    assert (await shop.orders.get(order.id)).refunded_minor_units == 800
    assert await shop.orders.remembered("scripted", ["evt-re-1", "evt-re-2"]) == {
        "evt-re-1",
        "evt-re-2",
    }


async def test_an_event_that_breaks_stops_no_other(
    shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order = await shop.place()
    # As a broken adapter would make it.
    breaks = WebhookEvent("evt-odd", "charge.refunded", (None,))  # type: ignore[arg-type]
    core = reconciling(shop, Record(shop, breaks, refund(500, "re-1")))

    await walked(core)

    assert (await shop.orders.get(order.id)).refunded_minor_units == 500
    assert "event evt-odd of scripted could not be taken in" in caplog.text


async def test_what_says_nothing_about_money_is_not_remembered(shop: Any) -> None:
    core = reconciling(shop, Record(shop, WebhookEvent("evt-1", "customer.created")))

    assert sum(await walked(core)) == 0
    assert not await shop.orders.remembered("scripted", ["evt-1"])


async def test_a_process_with_a_wrong_setting_hides_no_event_from_the_others(shop: Any) -> None:
    order = await shop.place()
    (fact,) = refund(500, "re-1").facts
    record = Record(
        shop, WebhookEvent("evt-1", "refunded", (replace(fact, installation="default"),))
    )
    elsewhere = reconciling(shop, record, policy=Policy(installation="elsewhere"))

    await walked(elsewhere)
    assert not await shop.orders.remembered("scripted", ["evt-1"])

    await walked(reconciling(shop, record))
    assert (await shop.orders.get(order.id)).refunded_minor_units == 500


async def test_a_record_that_never_ends_is_left_after_a_bound(
    shop: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("order_core.use_cases.walk_events._MOST_PAGES_A_DAY", 2)
    record = Record(shop, *(WebhookEvent(f"evt-{n}", "customer.created") for n in range(99)))

    await walked(reconciling(shop, record))

    assert len(record.asked) == 4
    assert "there are more than 4 pages" in caplog.text


async def test_the_log_says_what_had_not_come(shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "order_core.use_cases.reconcile")
    await shop.place()
    core = reconciling(
        shop, Record(shop, refund(500, "re-1"), WebhookEvent("evt-2", "customer.created"))
    )

    await walked(core)

    begin = shop.clock.now() - REACH
    (told,) = caplog.records
    assert told.getMessage() == (
        f"scripted told 2 events since {begin}; 1 had not come, 1 were news"
    )
    assert told.levelname == "WARNING"


async def test_a_walk_that_finds_no_news_is_no_warning(
    shop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "order_core.use_cases.reconcile")

    await walked(reconciling(shop, Record(shop)))

    assert [record.levelname for record in caplog.records] == ["INFO"]
