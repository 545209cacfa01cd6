"""The queue of the saves by itself: who goes when, and with whom."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

import pytest

from order_core.errors import CommitUnknown, StoreUnavailable
from order_sqlalchemy.connections import NoneFree
from order_sqlalchemy.mapping import Row
from order_sqlalchemy.postgresql_queue import (
    MOST_TOGETHER,
    PATIENCE_SECONDS,
    Door,
    SaveQueue,
)
from order_sqlalchemy.postgresql_rows import Values
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.saving import Saving
from tests.integration.sqlalchemy_orders import a_lease, an_order

_NOT_LONG = 1.0
_SHAPE = Shape.of(Saving(an_order(), None, None, None, None))
_OTHER_SHAPE = Shape.of(Saving(an_order(), None, None, a_lease(an_order(), "lease"), None))

_whose: ContextVar[str] = ContextVar("whose", default="nobody")

Ids = list[str]


@dataclass
class _Way:
    """A way to a database that answers with `answer`, over so many connections."""

    answer: Callable[[Ids], Awaitable[None]]
    connections: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(100))
    seconds: float = 60
    sent: list[Ids] = field(default_factory=list)

    async def take(self) -> None:
        try:
            async with asyncio.timeout(self.seconds):
                await self.connections.acquire()
        except TimeoutError:
            raise NoneFree("none") from None

    def _give_back(self, _connection: None) -> None:
        self.connections.release()

    async def _save(self, _connection: None, _shape: Shape, several: Sequence[Values]) -> list[Row]:
        ids = [str(values.orders[0]["id"]) for values in several]
        self.sent.append(ids)
        try:
            await self.answer(ids)
        finally:
            self.connections.release()
        return [(each, True) for each in ids]

    def queue(self, *, most_turns: int = 4, seconds: float = 60) -> SaveQueue[None]:
        self.seconds = seconds
        door = Door(self.take, self._give_back, self._save, lambda e: isinstance(e, ValueError))
        return SaveQueue(door, most_turns=most_turns, seconds=seconds)


def _hanging(name: str) -> tuple[asyncio.Event, Callable[[Ids], Awaitable[None]]]:
    """An answer that comes at once to everybody but this one, who waits for the event."""
    goes_on = asyncio.Event()

    async def answer(ids: Ids) -> None:
        await (goes_on.wait() if ids == [f"o-{name}"] else asyncio.sleep(0))

    return goes_on, answer


async def _row(queue: SaveQueue[None], name: object, shape: Shape = _SHAPE) -> str | None:
    order_id = f"o-{name}"
    row = await queue.row(shape, order_id, Values([{"id": order_id}], [], []))
    return row[0] if row else None


def _begin(queue: SaveQueue[None], *names: object) -> list[asyncio.Task[str | None]]:
    return [asyncio.create_task(_row(queue, name)) for name in names]


def _kinds(told: Sequence[object]) -> list[type]:
    return [type(each) for each in told]


async def test_where_each_answer_takes_long_as_many_are_asked_at_once_as_there_are_turns() -> None:
    async def answer(_ids: Ids) -> None:
        at_once.append(len(queue._turns))  # noqa: SLF001 - what nobody else can count
        await asyncio.sleep(0.1)

    at_once: list[int] = []
    way = _Way(answer)
    queue = way.queue(most_turns=8)
    started = time.monotonic()
    told = await asyncio.gather(*_begin(queue, *range(64)))

    assert told == [f"o-{number}" for number in range(64)]
    assert max(at_once) == 8
    assert [len(ids) for ids in way.sent[:8]] == [1, 9, 9, 9, 9, 9, 9, 9], "spread over all turns"
    assert time.monotonic() - started < _NOT_LONG


async def test_one_save_that_hangs_holds_up_nobody_else() -> None:
    goes_on, answer = _hanging("stuck")
    queue = _Way(answer).queue(most_turns=2)
    (stuck,) = _begin(queue, "stuck")
    await asyncio.sleep(0.05)
    started = time.monotonic()
    for number in range(20):
        assert await _row(queue, number) == f"o-{number}"
    seconds = time.monotonic() - started
    goes_on.set()

    assert await stuck == "o-stuck"
    assert seconds < 10 * PATIENCE_SECONDS, "nobody was patient for twenty others"


async def test_if_more_wait_than_full_companies_could_take_there_are_more_turns() -> None:
    goes_on, answer = _hanging("stuck")
    queue = _Way(answer).queue(most_turns=1)
    (stuck,) = _begin(queue, "stuck")
    others = _begin(queue, *range(2 * MOST_TOGETHER + 2))
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
        await _row(queue, name)

    way = _Way(answer)
    queue = way.queue()
    await asyncio.gather(*(save(name) for name in "dcba"))

    assert way.sent == [["o-d"], ["o-a", "o-b", "o-c"]]
    assert contexts == ["d", "nobody"]


async def test_who_goes_is_decided_when_there_is_a_connection_to_go_by() -> None:
    goes_on, answer = _hanging("first")
    way = _Way(answer, asyncio.Semaphore(1))
    queue = way.queue(most_turns=2)
    saving = _begin(queue, "first", 1)
    await asyncio.sleep(0.1)  # The second one has a turn now, and waits for a connection.
    saving += _begin(queue, *range(2, 30))
    await asyncio.sleep(0)
    goes_on.set()
    await asyncio.gather(*saving)

    assert [len(ids) for ids in way.sent] == [1, 29]


async def test_whoever_finds_no_connection_in_time_takes_nobody_along_who_came_later() -> None:
    goes_on, answer = _hanging("first")
    way = _Way(answer, asyncio.Semaphore(1))
    queue = way.queue(seconds=0.4)
    first, old = _begin(queue, "first", "old")
    await asyncio.sleep(0.3)
    young = _begin(queue, *range(5))
    await asyncio.sleep(0.2)
    goes_on.set()

    assert _kinds(await asyncio.gather(old, return_exceptions=True)) == [StoreUnavailable]
    assert await asyncio.gather(first, *young) == ["o-first", *(f"o-{n}" for n in range(5))]


async def test_if_the_database_cannot_be_reached_all_hear_so() -> None:
    async def answer(_ids: Ids) -> None:
        pass

    async def unreachable() -> None:
        await asyncio.sleep(0)
        raise StoreUnavailable("There is no connection.")

    way = _Way(answer)
    way.take = unreachable  # type: ignore[method-assign]
    told = await asyncio.gather(*_begin(way.queue(), *range(70)), return_exceptions=True)

    assert _kinds(told) == [StoreUnavailable] * 70


async def test_whose_connection_was_opened_too_late_is_not_sent_and_gives_it_back() -> None:
    async def answer(_ids: Ids) -> None:
        pass

    async def opened_slowly() -> None:
        await way.connections.acquire()
        await asyncio.sleep(0.1)

    way = _Way(answer, asyncio.Semaphore(1))
    way.take = opened_slowly  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await _row(way.queue(seconds=0.05), 1)

    assert way.sent == []
    assert not way.connections.locked()


async def test_nobody_is_sent_later_than_it_may_wait_and_hears_so_in_time() -> None:
    answers = asyncio.Event()

    async def answer(_ids: Ids) -> None:
        await answers.wait()

    way = _Way(answer)
    queue = way.queue(most_turns=1, seconds=0.1)
    first, *others = _begin(queue, *range(3))
    await asyncio.wait(others, timeout=_NOT_LONG)
    heard_in_time = [each.done() for each in others]
    answers.set()

    assert heard_in_time == [True, True]
    assert _kinds([each.exception() for each in others]) == [StoreUnavailable] * 2
    assert await first == "o-0"
    assert way.sent == [["o-0"]]


async def test_of_one_order_one_save_is_under_way_at_a_time() -> None:
    """The second one would wait for the first in the database, and take a turn for that."""
    answers = asyncio.Event()

    async def answer(ids: Ids) -> None:
        if ids == ["o-slow"] and len(way.sent) == 1:
            await answers.wait()

    way = _Way(answer)
    queue = way.queue(most_turns=3)
    slow = _begin(queue, "slow", "slow", "slow")
    await asyncio.gather(*_begin(queue, *range(4)))
    assert [ids for ids in way.sent if "o-slow" in ids] == [["o-slow"]]
    answers.set()
    await asyncio.gather(*slow)

    assert [ids for ids in way.sent if "o-slow" in ids] == [["o-slow"]] * 3


async def test_a_turn_that_nobody_can_use_is_free_for_others() -> None:
    answers, answer = _hanging("first")
    way = _Way(answer)
    queue = way.queue(most_turns=2)
    (first,) = _begin(queue, "first")
    await asyncio.sleep(0)
    again = asyncio.create_task(_row(queue, "first", _OTHER_SHAPE))
    await asyncio.gather(*_begin(queue, "another"))
    answers.set()

    assert [await first, await again] == ["o-first"] * 2


async def test_those_who_go_alone_after_a_refusal_have_turns_like_all_others() -> None:
    """Or they would take the connections of those who read."""
    at_once: list[int] = []

    async def answer(ids: Ids) -> None:
        at_once.append(len(queue._turns))  # noqa: SLF001 - what nobody else can count
        await asyncio.sleep(0.01)
        if len(ids) > 1:
            raise ValueError("one of them")

    queue = _Way(answer).queue(most_turns=2)
    told = await asyncio.gather(*_begin(queue, *range(9)))

    assert told == [f"o-{number}" for number in range(9)]
    assert max(at_once) == 2


async def test_those_who_were_refused_go_before_those_who_came_later() -> None:
    async def answer(ids: Ids) -> None:
        if ids == ["o-0", "o-1"]:
            later.extend(_begin(queue, 2, 3))
            await asyncio.sleep(0.01)
            raise ValueError("one of them")
        await asyncio.sleep(0)

    later: list[asyncio.Task[str | None]] = []
    way = _Way(answer)
    queue = way.queue(most_turns=1)
    await asyncio.gather(*_begin(queue, "first", 0, 1))
    await asyncio.gather(*later)

    assert way.sent == [["o-first"], ["o-0", "o-1"], ["o-0"], ["o-1"], ["o-2", "o-3"]]


async def test_those_who_were_refused_wait_for_nobody_who_hangs() -> None:
    goes_on = asyncio.Event()

    async def answer(ids: Ids) -> None:
        if len(ids) > 1:
            raise ValueError("one of them")
        await (goes_on.wait() if ids == ["o-stuck"] else asyncio.sleep(0))

    queue = _Way(answer).queue(most_turns=2)
    (stuck,) = _begin(queue, "stuck")
    others = _begin(queue, *range(3))
    told = await asyncio.wait_for(asyncio.gather(*others), _NOT_LONG)
    goes_on.set()

    assert [*told, await stuck] == ["o-0", "o-1", "o-2", "o-stuck"]


async def test_whoever_was_refused_by_itself_is_not_sent_again() -> None:
    async def answer(ids: Ids) -> None:
        await asyncio.sleep(0)
        if ids == ["o-1"]:
            raise ValueError("it")

    way = _Way(answer)
    told = await asyncio.gather(*_begin(way.queue(), *range(2)), return_exceptions=True)

    assert _kinds(told) == [str, ValueError]
    assert way.sent == [["o-0"], ["o-1"]]


async def test_whoever_was_refused_with_others_too_late_does_not_go_alone() -> None:
    async def answer(ids: Ids) -> None:
        await asyncio.sleep(0.15)
        if len(ids) > 1:
            raise ValueError("one of them")

    queue = _Way(answer).queue(seconds=0.1)
    told = await asyncio.gather(*_begin(queue, *range(9)), return_exceptions=True)

    assert told[0] == "o-0"
    assert _kinds(told[1:]) == [StoreUnavailable] * 8


async def test_after_a_refusal_companies_are_smaller_and_grow_again() -> None:
    refuse = True

    async def answer(ids: Ids) -> None:
        await asyncio.sleep(0)
        if refuse and len(ids) > 1:
            raise ValueError("one of them")

    async def companies() -> list[int]:
        way.sent.clear()
        told = await asyncio.gather(*_begin(queue, *range(9)))
        assert told == [f"o-{number}" for number in range(9)]
        return [len(ids) for ids in way.sent if len(ids) > 1]

    way = _Way(answer)
    queue = way.queue(most_turns=16)
    queue._most = 8  # noqa: SLF001 - thirty-two would make a long test
    assert await companies() == [8]
    refuse = False

    assert await companies() == [4, 4], "half of it; who goes alone proves nothing about others"
    assert queue._most == 5  # noqa: SLF001


async def test_a_company_that_is_cancelled_under_way_is_told_that_nobody_knows() -> None:
    async def answer(ids: Ids) -> None:
        await asyncio.sleep(60 if len(ids) > 1 else 0)

    queue = _Way(answer).queue()
    first, *others = _begin(queue, *range(3))
    await first
    await asyncio.sleep(0.02)
    (company,) = queue._tasks  # noqa: SLF001 - a host that ends all tasks
    company.cancel()
    told = await asyncio.gather(*others, return_exceptions=True)

    assert _kinds(told) == [CommitUnknown] * 2
    assert await _row(queue, 4) == "o-4"


async def test_whoever_waits_goes_in_another_turn_if_one_is_cancelled_before_it_begins() -> None:
    goes_on, answer = _hanging("0")
    way = _Way(answer)
    queue = way.queue()
    saving = _begin(queue, *range(3))
    await asyncio.sleep(0)
    goes_on.set()
    # Nobody tells when a turn is opened.
    while not queue._tasks:  # noqa: ASYNC110, SLF001 - a host that ends all tasks
        await asyncio.sleep(0)
    (turn,) = queue._tasks  # noqa: SLF001
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

    queue = _Way(answer).queue()
    await asyncio.gather(*_begin(queue, *range(5)))

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

    queue = _Way(answer).queue()
    await asyncio.gather(*_begin(queue, *range(5)), return_exceptions=True)

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

    queue = _Way(answer).queue(most_turns=1)
    saving = _begin(queue, *range(3))
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

    queue = _Way(answer).queue(most_turns=1)
    first, *others = _begin(queue, *range(3))
    await asyncio.sleep(0)
    for each in others:
        each.cancel()
    answers.set()
    await asyncio.gather(first, queue.close())
