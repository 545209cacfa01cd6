"""The queue of the saves by itself: who goes when, and with whom."""

import asyncio
import time

import pytest

from order_core.errors import CommitUnknown, StoreUnavailable
from order_sqlalchemy.mapping import Row
from order_sqlalchemy.postgresql_queue import Save, SaveQueue
from order_sqlalchemy.postgresql_rows import Values
from order_sqlalchemy.postgresql_shape import Shape
from order_sqlalchemy.saving import Saving
from tests.integration.sqlalchemy_orders import an_order

_NOT_LONG = 1.0
_SHAPE = Shape.of(Saving(an_order(), None, None, None, None))


def _queue(save: Save, *, most_turns: int = 4, seconds: float = 60) -> SaveQueue:
    return SaveQueue(
        save,
        most_turns=most_turns,
        seconds=seconds,
        stored_nothing=lambda error: isinstance(error, ValueError),
    )


async def _row(queue: SaveQueue, number: int) -> str | None:
    order_id = f"o-{number}"
    row = await queue.row(_SHAPE, order_id, Values([{"id": order_id}], [], []))
    return row[0] if row else None


async def test_where_each_answer_takes_long_as_many_are_asked_at_once_as_there_are_turns() -> None:
    sizes: list[int] = []
    at_once: list[int] = []
    under_way = 0

    async def save(_shape: Shape, values: Values, _until: float) -> list[Row]:
        nonlocal under_way
        under_way += 1
        sizes.append(len(values.orders))
        at_once.append(under_way)
        await asyncio.sleep(0.1)
        under_way -= 1
        return [(order["id"], True) for order in values.orders]

    queue = _queue(save, most_turns=8)
    started = time.monotonic()
    told = await asyncio.gather(*(_row(queue, number) for number in range(64)))

    assert told == [f"o-{number}" for number in range(64)]
    assert max(at_once) == 8
    assert sizes[:8] == [1, 9, 9, 9, 9, 9, 9, 9], "spread over all turns"
    assert time.monotonic() - started < _NOT_LONG


async def test_nobody_is_sent_later_than_it_may_wait_and_hears_so_in_time() -> None:
    sent: list[str] = []
    answers = asyncio.Event()

    async def save(_shape: Shape, values: Values, _until: float) -> list[Row]:
        sent.extend(order["id"] for order in values.orders)
        await answers.wait()
        return [(order["id"], True) for order in values.orders]

    queue = _queue(save, most_turns=1, seconds=0.1)
    first, *others = [asyncio.create_task(_row(queue, number)) for number in range(3)]
    await asyncio.wait(others, timeout=_NOT_LONG)
    heard_in_time = [each.done() for each in others]
    answers.set()

    assert heard_in_time == [True, True]
    assert [type(each.exception()) for each in others] == [StoreUnavailable] * 2
    assert await first == "o-0"
    assert sent == ["o-0"]


async def test_closing_waits_for_those_who_wait_behind_the_first() -> None:
    answers = asyncio.Event()

    async def save(_shape: Shape, values: Values, _until: float) -> list[Row]:
        await answers.wait()
        return [(order["id"], True) for order in values.orders]

    queue = _queue(save, most_turns=1)
    saving = [asyncio.create_task(_row(queue, number)) for number in range(2)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    answers.set()
    await closing

    assert [await each for each in saving] == ["o-0", "o-1"]


async def test_whoever_was_refused_with_others_too_late_does_not_go_alone() -> None:
    async def save(shape: Shape, values: Values, _until: float) -> list[Row]:
        await asyncio.sleep(0.15)
        if shape.is_company:
            raise ValueError("one of them")
        return [(order["id"], True) for order in values.orders]

    queue = _queue(save, seconds=0.1)
    told = await asyncio.gather(*(_row(queue, n) for n in range(3)), return_exceptions=True)

    assert told[0] == "o-0"
    assert [type(each) for each in told[1:]] == [StoreUnavailable] * 2


async def test_after_a_refusal_companies_are_smaller_and_grow_again() -> None:
    companies: list[int] = []
    refuse = True

    async def save(shape: Shape, values: Values, _until: float) -> list[Row]:
        await asyncio.sleep(0)
        if shape.is_company:
            companies.append(len(values.orders))
            if refuse:
                raise ValueError("one of them")
        return [(order["id"], True) for order in values.orders]

    queue = _queue(save)

    async def several() -> None:
        told = await asyncio.gather(*(_row(queue, number) for number in range(9)))
        assert told == [f"o-{number}" for number in range(9)]

    queue._most = 8  # noqa: SLF001 - thirty-two would make a long test
    await several()
    refuse = False
    await several()

    assert companies == [8, 4, 4]


@pytest.mark.parametrize("has_begun", [False, True])
async def test_a_company_that_is_cancelled_leaves_nobody_waiting(has_begun: bool) -> None:
    goes_on = asyncio.Event()

    async def save(shape: Shape, values: Values, _until: float) -> list[Row]:
        await (asyncio.sleep(60) if shape.is_company else goes_on.wait())
        return [(order["id"], True) for order in values.orders]

    queue = _queue(save)
    saving = [asyncio.create_task(_row(queue, number)) for number in range(3)]
    await asyncio.sleep(0)
    goes_on.set()
    await saving[0]
    if has_begun:
        await asyncio.sleep(0.02)
    (company,) = queue._companies  # noqa: SLF001 - a host that ends all tasks
    company.cancel()
    told = await asyncio.gather(*saving[1:], return_exceptions=True)

    assert [type(each) for each in told] == [CommitUnknown] * 2
    assert await _row(queue, 4) == "o-4"
