"""The machine's clock tells the time in UTC, and sleeps."""

from datetime import UTC, datetime, timedelta

from order_system import SystemClock


def test_it_is_now_in_utc() -> None:
    before = datetime.now(UTC)

    now = SystemClock().now()

    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)


async def test_sleeping_takes_time() -> None:
    clock = SystemClock()
    before = clock.now()

    await clock.sleep(0.05)

    assert clock.now() - before >= timedelta(seconds=0.04)
