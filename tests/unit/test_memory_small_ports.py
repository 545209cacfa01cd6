"""The smaller fakes: a clock set by hand, foreseeable ids, and a notifier that fails."""

from datetime import UTC, datetime, timedelta

import pytest

from order_core.errors import NotificationFailed, NotificationRefused
from order_core.ports import Notice
from order_memory import ManualClock, RecordingNotifier, SequentialIds
from order_memory.contracts import samples

_MAY_FIRST = datetime(2031, 5, 1, 8, tzinfo=UTC)


async def test_a_manual_clock_moves_by_hand_and_by_sleep_alone() -> None:
    clock = ManualClock(_MAY_FIRST)
    assert clock.now() == clock.now() == _MAY_FIRST

    clock.advance(timedelta(minutes=1))
    await clock.sleep(2.5)

    assert clock.now() == _MAY_FIRST + timedelta(seconds=62.5)


async def test_a_manual_clock_never_goes_back() -> None:
    clock = ManualClock(_MAY_FIRST)

    with pytest.raises(ValueError, match="go back"):
        clock.set(_MAY_FIRST - timedelta(seconds=1))

    await clock.sleep(-5)
    assert clock.now() == _MAY_FIRST


def test_ids_count_on_and_sort_as_they_came() -> None:
    ids = SequentialIds("lamp")

    made = [ids.new_id() for _ in range(11)]

    assert made[0] == "lamp-000001"
    assert made == sorted(set(made))


async def test_a_notifier_fails_as_often_as_it_was_told_to() -> None:
    notifier = RecordingNotifier()
    notifier.fail_next(NotificationFailed("busy"), NotificationRefused("no such address"))
    order = samples.a_placed_order(_MAY_FIRST)
    notice = Notice(order, order.news[-1], "ann@example.com")

    with pytest.raises(NotificationFailed):
        await notifier.tell(notice)
    with pytest.raises(NotificationRefused):
        await notifier.tell(notice)
    await notifier.tell(notice)

    assert notifier.told == (notice,)
