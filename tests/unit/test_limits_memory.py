"""What is counted in the memory of one process."""

import pytest

from order_limits import OFF, Rate
from order_limits.counts import MemoryCounts


class Watch:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def counts(rate: str, watch: Watch, most_keys: int = 1_000) -> MemoryCounts:
    return MemoryCounts({"visits": Rate.parse(rate)}, most_keys=most_keys, clock=watch)


async def visits(counting: MemoryCounts, key: str, times: int) -> int:
    return sum([await counting.count("visits", key) for _ in range(times)])


async def left(counting: MemoryCounts, key: str) -> int:
    (quota,) = await counting.look(("visits", key))
    return quota.remaining


async def test_exactly_so_many_are_let_in_and_one_stranger_is_not_another() -> None:
    counting = counts("7/minute", Watch())
    assert await visits(counting, "198.51.100.1", 12) == 7
    assert await visits(counting, "198.51.100.2", 3) == 3
    assert (await left(counting, "198.51.100.1"), await left(counting, "198.51.100.2")) == (0, 4)


async def test_who_is_turned_away_and_waits_as_long_as_told_is_let_in() -> None:
    watch = Watch()
    counting = counts("7/minute", watch)
    await visits(counting, "ann", 7)
    (quota,) = await counting.look(("visits", "ann"))
    assert 0 < quota.wait_seconds <= 60
    watch.now += quota.wait_seconds + 0.001
    assert await counting.count("visits", "ann")


async def test_the_end_of_a_window_gives_no_second_burst() -> None:
    watch = Watch()
    watch.now = 60 * 20_000 - 0.5
    counting = counts("60/minute", watch)
    assert await visits(counting, "eager", 100) == 60
    watch.now += 3
    # Two and a half seconds of the new window are over; a fixed window would let in 60.
    assert await visits(counting, "eager", 100) == 3


async def test_who_never_stops_asking_is_let_in_at_the_rate_and_no_faster() -> None:
    watch = Watch()
    counting = counts("60/minute", watch)
    let_in = 0
    for _ in range(10 * 60 * 3):
        let_in += await counting.count("visits", "eager")
        watch.now += 1 / 3
    assert 10 * 60 <= let_in <= 11 * 60


async def test_two_windows_later_nothing_is_remembered() -> None:
    watch = Watch()
    counting = counts("5/second", watch)
    await visits(counting, "ann", 5)
    watch.now += 2.1
    assert await left(counting, "ann") == 5
    (quota,) = await counting.look(("visits", "ann"))
    assert quota.wait_seconds == 0


async def test_names_without_end_do_not_fill_the_memory_and_the_latest_are_still_counted() -> None:
    counting = counts("3/minute", Watch(), most_keys=500)
    for number in range(20_000):
        await counting.count("visits", f"2001:db8:{number:x}::/64")
    assert counting.names <= 2 * 500
    await visits(counting, "the last one", 3)
    assert not await counting.count("visits", "the last one")


async def test_looking_counts_nothing() -> None:
    counting = counts("2/hour", Watch())
    for _ in range(5):
        assert await left(counting, "ann") == 2


@pytest.mark.parametrize("text", ["60/minute", "1/second", "10/hour", "10000000/day", "off"])
def test_a_rate_is_read_and_written_alike(text: str) -> None:
    assert str(Rate.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "0/minute", "60", "60/fortnight", "-1/minute", "6e1/minute", "60 / minute", "OFF"]
)
def test_what_is_no_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 60/minute"):
        Rate.parse(text)


def test_off_limits_nothing() -> None:
    assert not OFF
    assert not Rate.parse("off")
    assert Rate.parse("1/day")
