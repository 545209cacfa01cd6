"""The queue of the saves by itself: what becomes of those who were refused, or cancelled."""

import asyncio
import logging

import pytest

from order_core.errors import CommitUnknown, StoreUnavailable
from tests.integration.queue_of_saves import (
    NOT_LONG,
    Ids,
    Way,
    begin,
    hanging,
    kinds,
    row,
)


async def test_those_who_go_alone_after_a_refusal_have_turns_like_all_others() -> None:
    """Or they would take the connections of those who read."""
    at_once: list[int] = []

    async def answer(ids: Ids) -> None:
        at_once.append(len(queue._turns))  # noqa: SLF001 - what nobody else can count
        await asyncio.sleep(0.01)
        if len(ids) > 1:
            raise ValueError("one of them")

    queue = Way(answer).queue(most_turns=2)
    told = await asyncio.gather(*begin(queue, *range(9)))

    assert told == [f"o-{number}" for number in range(9)]
    assert max(at_once) == 2


async def test_those_who_were_refused_go_before_those_who_came_later() -> None:
    async def answer(ids: Ids) -> None:
        if ids == ["o-0", "o-1"]:
            later.extend(begin(queue, 2, 3))
            await asyncio.sleep(0.01)
            raise ValueError("one of them")
        await asyncio.sleep(0)

    later: list[asyncio.Task[str | None]] = []
    way = Way(answer)
    queue = way.queue(most_turns=1)
    await asyncio.gather(*begin(queue, "first", 0, 1))
    await asyncio.gather(*later)

    assert way.sent == [["o-first"], ["o-0", "o-1"], ["o-0"], ["o-1"], ["o-2", "o-3"]]


async def test_those_who_were_refused_wait_for_nobody_who_hangs() -> None:
    goes_on = asyncio.Event()

    async def answer(ids: Ids) -> None:
        if len(ids) > 1:
            raise ValueError("one of them")
        await (goes_on.wait() if ids == ["o-stuck"] else asyncio.sleep(0))

    queue = Way(answer).queue(most_turns=2)
    (stuck,) = begin(queue, "stuck")
    others = begin(queue, *range(3))
    told = await asyncio.wait_for(asyncio.gather(*others), NOT_LONG)
    goes_on.set()

    assert [*told, await stuck] == ["o-0", "o-1", "o-2", "o-stuck"]


async def test_whoever_was_refused_by_itself_is_not_sent_again() -> None:
    async def answer(ids: Ids) -> None:
        await asyncio.sleep(0)
        if ids == ["o-1"]:
            raise ValueError("it")

    way = Way(answer)
    told = await asyncio.gather(*begin(way.queue(), *range(2)), return_exceptions=True)

    assert kinds(told) == [str, ValueError]
    assert way.sent == [["o-0"], ["o-1"]]


async def test_whoever_was_refused_with_others_too_late_does_not_go_alone() -> None:
    async def answer(ids: Ids) -> None:
        await asyncio.sleep(0.15)
        if len(ids) > 1:
            raise ValueError("one of them")

    queue = Way(answer).queue(seconds=0.1)
    told = await asyncio.gather(*begin(queue, *range(9)), return_exceptions=True)

    assert told[0] == "o-0"
    assert kinds(told[1:]) == [StoreUnavailable] * 8


async def test_after_a_refusal_companies_are_smaller_and_grow_again() -> None:
    refuse = True

    async def answer(ids: Ids) -> None:
        await asyncio.sleep(0)
        if refuse and len(ids) > 1:
            raise ValueError("one of them")

    async def companies() -> list[int]:
        way.sent.clear()
        told = await asyncio.gather(*begin(queue, *range(9)))
        assert told == [f"o-{number}" for number in range(9)]
        return [len(ids) for ids in way.sent if len(ids) > 1]

    way = Way(answer)
    queue = way.queue(most_turns=16)
    queue._most = 8  # noqa: SLF001 - thirty-two would make a long test
    assert await companies() == [8]
    refuse = False

    assert await companies() == [4, 4], "half of it; who goes alone proves nothing about others"
    assert queue._most == 5  # noqa: SLF001 - what nobody else can see


async def test_a_company_that_is_cancelled_under_way_is_told_that_nobody_knows() -> None:
    async def answer(ids: Ids) -> None:
        await asyncio.sleep(60 if len(ids) > 1 else 0)

    queue = Way(answer).queue()
    first, *others = begin(queue, *range(3))
    await first
    await asyncio.sleep(0.02)
    (company,) = queue._tasks  # noqa: SLF001 - a host that ends all tasks
    company.cancel()
    told = await asyncio.gather(*others, return_exceptions=True)

    assert kinds(told) == [CommitUnknown] * 2
    assert await row(queue, 4) == "o-4"


async def test_whoever_waits_goes_in_another_turn_if_one_is_cancelled_before_it_begins() -> None:
    goes_on, answer = hanging("0")
    way = Way(answer)
    queue = way.queue()
    saving = begin(queue, *range(3))
    await asyncio.sleep(0)
    goes_on.set()
    # Nobody tells when a turn is opened.
    while not queue._tasks:  # noqa: ASYNC110, SLF001 - a host that ends all tasks
        await asyncio.sleep(0)
    (turn,) = queue._tasks  # noqa: SLF001 - a host that ends all tasks
    assert way.sent == [["o-0"]]
    turn.cancel()

    assert await asyncio.gather(*saving) == ["o-0", "o-1", "o-2"]


async def test_a_company_that_is_refused_is_told_once_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "order_sqlalchemy")

    async def answer(ids: Ids) -> None:
        await asyncio.sleep(0)
        if len(ids) > 1:
            raise ValueError("the address of a customer")

    queue = Way(answer).queue()
    await asyncio.gather(*begin(queue, *range(5)))

    assert caplog.messages == ["a company of 4 saves was refused, and each goes alone: ValueError"]
    assert queue.companies_refused == 1


async def test_a_company_of_which_nobody_knows_is_none_that_was_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "order_sqlalchemy")

    async def answer(ids: Ids) -> None:
        await asyncio.sleep(0)
        if len(ids) > 1:
            raise ConnectionResetError

    queue = Way(answer).queue()
    await asyncio.gather(*begin(queue, *range(5)), return_exceptions=True)

    assert caplog.messages == []
    assert queue.companies_refused == 0


@pytest.mark.parametrize("refused", [False, True])
async def test_closing_waits_for_all_who_wait_or_are_under_way(refused: bool) -> None:
    answers = asyncio.Event()

    async def answer(ids: Ids) -> None:
        if refused and len(ids) > 1:
            raise ValueError("one of them")
        if ids != ["o-0"] or not refused:
            await answers.wait()

    queue = Way(answer).queue(most_turns=1)
    saving = begin(queue, *range(3))
    await asyncio.sleep(0)
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    answers.set()
    await closing

    assert [each.done() for each in saving] == [True] * 3
    assert [await each for each in saving] == ["o-0", "o-1", "o-2"]


async def test_closing_waits_for_nobody_who_was_cancelled() -> None:
    answers = asyncio.Event()

    async def answer(_ids: Ids) -> None:
        await answers.wait()

    queue = Way(answer).queue(most_turns=1)
    first, *others = begin(queue, *range(3))
    await asyncio.sleep(0)
    for each in others:
        each.cancel()
    answers.set()
    await asyncio.gather(first, queue.close())
