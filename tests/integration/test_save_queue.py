"""The queue of the saves by itself: who goes when, and with whom."""

import asyncio
import time
from contextvars import ContextVar

import pytest

from order_core.errors import StoreUnavailable
from order_sqlalchemy.postgresql_queue import (
    MOST_TOGETHER,
    PATIENCE_SECONDS,
)
from tests.integration.queue_of_saves import (
    NOT_LONG,
    OTHER_SHAPE,
    Ids,
    Way,
    begin,
    hanging,
    kinds,
    row,
)

_whose: ContextVar[str] = ContextVar("whose", default="nobody")


async def test_where_each_answer_takes_long_as_many_are_asked_at_once_as_there_are_turns() -> None:
    async def answer(_ids: Ids) -> None:
        at_once.append(len(queue._turns))  # noqa: SLF001 - what nobody else can count
        await asyncio.sleep(0.1)

    at_once: list[int] = []
    way = Way(answer)
    queue = way.queue(most_turns=8)
    started = time.monotonic()
    told = await asyncio.gather(*begin(queue, *range(64)))

    assert told == [f"o-{number}" for number in range(64)]
    assert max(at_once) == 8
    assert [len(ids) for ids in way.sent[:8]] == [1, 9, 9, 9, 9, 9, 9, 9], "spread over all turns"
    assert time.monotonic() - started < NOT_LONG


async def test_one_save_that_hangs_holds_up_nobody_else() -> None:
    goes_on, answer = hanging("stuck")
    queue = Way(answer).queue(most_turns=2)
    (stuck,) = begin(queue, "stuck")
    await asyncio.sleep(0.05)
    started = time.monotonic()
    for number in range(20):
        assert await row(queue, number) == f"o-{number}"
    seconds = time.monotonic() - started
    goes_on.set()

    assert await stuck == "o-stuck"
    assert seconds < 10 * PATIENCE_SECONDS, "nobody was patient for twenty others"


async def test_if_more_wait_than_full_companies_could_take_there_are_more_turns() -> None:
    goes_on, answer = hanging("stuck")
    queue = Way(answer).queue(most_turns=1)
    (stuck,) = begin(queue, "stuck")
    others = begin(queue, *range(2 * MOST_TOGETHER + 2))
    await asyncio.sleep(0.2)
    done = sum(each.done() for each in others)
    goes_on.set()
    await asyncio.gather(stuck, *others)

    assert done >= MOST_TOGETHER


async def test_a_company_is_sent_in_the_order_of_its_ids_and_not_in_the_name_of_anybody() -> None:
    contexts: list[str] = []

    async def answer(_ids: Ids) -> None:
        contexts.append(_whose.get())
        await asyncio.sleep(0)

    async def save(name: str) -> None:
        _whose.set(name)
        await row(queue, name)

    way = Way(answer)
    queue = way.queue()
    await asyncio.gather(*(save(name) for name in "dcba"))

    assert way.sent == [["o-d"], ["o-a", "o-b", "o-c"]]
    assert contexts == ["d", "nobody"]


async def test_who_goes_is_decided_when_there_is_a_connection_to_go_by() -> None:
    goes_on, answer = hanging("first")
    way = Way(answer, asyncio.Semaphore(1))
    queue = way.queue(most_turns=2)
    saving = begin(queue, "first", 1)
    await asyncio.sleep(0.1)  # The second one has a turn now, and waits for a connection.
    saving += begin(queue, *range(2, 30))
    await asyncio.sleep(0)
    goes_on.set()
    await asyncio.gather(*saving)

    assert [len(ids) for ids in way.sent] == [1, 29]


async def test_whoever_finds_no_connection_in_time_takes_nobody_along_who_came_later() -> None:
    goes_on, answer = hanging("first")
    way = Way(answer, asyncio.Semaphore(1))
    queue = way.queue(seconds=0.4)
    first, old = begin(queue, "first", "old")
    await asyncio.sleep(0.3)
    young = begin(queue, *range(5))
    await asyncio.sleep(0.2)
    goes_on.set()

    assert kinds(await asyncio.gather(old, return_exceptions=True)) == [StoreUnavailable]
    assert await asyncio.gather(first, *young) == ["o-first", *(f"o-{n}" for n in range(5))]


async def test_if_the_database_cannot_be_reached_all_hear_so() -> None:
    async def answer(_ids: Ids) -> None:
        pass

    async def unreachable() -> None:
        await asyncio.sleep(0)
        raise StoreUnavailable("There is no connection.")

    way = Way(answer)
    way.take = unreachable  # type: ignore[method-assign]
    told = await asyncio.gather(*begin(way.queue(), *range(70)), return_exceptions=True)

    assert kinds(told) == [StoreUnavailable] * 70


async def test_whose_connection_was_opened_too_late_is_not_sent_and_gives_it_back() -> None:
    async def answer(_ids: Ids) -> None:
        pass

    async def opened_slowly() -> None:
        await way.connections.acquire()
        await asyncio.sleep(0.1)

    way = Way(answer, asyncio.Semaphore(1))
    way.take = opened_slowly  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await row(way.queue(seconds=0.05), 1)

    assert way.sent == []
    assert not way.connections.locked()


async def test_nobody_is_sent_later_than_it_may_wait_and_hears_so_in_time() -> None:
    answers = asyncio.Event()

    async def answer(_ids: Ids) -> None:
        await answers.wait()

    way = Way(answer)
    queue = way.queue(most_turns=1, seconds=0.1)
    first, *others = begin(queue, *range(3))
    await asyncio.wait(others, timeout=NOT_LONG)
    heard_in_time = [each.done() for each in others]
    answers.set()

    assert heard_in_time == [True, True]
    assert kinds([each.exception() for each in others]) == [StoreUnavailable] * 2
    assert await first == "o-0"
    assert way.sent == [["o-0"]]


async def test_of_one_order_one_save_is_under_way_at_a_time() -> None:
    """The second one would wait for the first in the database, and take a turn for that."""
    answers = asyncio.Event()

    async def answer(ids: Ids) -> None:
        if ids == ["o-slow"] and len(way.sent) == 1:
            await answers.wait()

    way = Way(answer)
    queue = way.queue(most_turns=3)
    slow = begin(queue, "slow", "slow", "slow")
    await asyncio.gather(*begin(queue, *range(4)))
    assert [ids for ids in way.sent if "o-slow" in ids] == [["o-slow"]]
    answers.set()
    await asyncio.gather(*slow)

    assert [ids for ids in way.sent if "o-slow" in ids] == [["o-slow"]] * 3


async def test_a_turn_that_nobody_can_use_is_free_for_others() -> None:
    answers, answer = hanging("first")
    way = Way(answer)
    queue = way.queue(most_turns=2)
    (first,) = begin(queue, "first")
    await asyncio.sleep(0)
    again = asyncio.create_task(row(queue, "first", OTHER_SHAPE))
    await asyncio.gather(*begin(queue, "another"))
    answers.set()

    assert [await first, await again] == ["o-first"] * 2
