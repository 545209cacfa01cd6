"""The worker's rounds, with chores that do as they are told."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from order_core.errors import ClockAskew, StoreUnavailable
from order_worker import Worker
from order_worker.worker import LONGEST_PAUSE_SECONDS

Round = int | Exception


class Script:
    """A chore that goes through `rounds`, then finds nothing to do, and then calls `at_end`."""

    def __init__(self, *rounds: Round) -> None:
        self._rounds = list(rounds)
        self.limits: list[int] = []
        self.at_end: Callable[[], None] = lambda: None

    async def __call__(self, *, limit: int) -> int:
        self.limits.append(limit)
        if not self._rounds:
            self.at_end()
            return 0
        if isinstance(outcome := self._rounds.pop(0), Exception):
            raise outcome
        return outcome


@dataclass
class Chores:
    recover: Script = field(default_factory=Script)
    match: Script = field(default_factory=Script)
    reconcile: Script = field(default_factory=Script)
    tell: Script = field(default_factory=Script)
    forget: Script = field(default_factory=Script)


@dataclass
class Pauses:
    """Takes no time, and remembers how much it should have taken."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, event: asyncio.Event, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def worker_of(chores: Chores, pauses: Pauses, *, chance: float = 1.0) -> Worker:
    worker = Worker(chores, poll_seconds=0.5, batch=3, pause=pauses, chance=lambda: chance)
    chores.recover.at_end = worker.stop
    return worker


async def test_a_full_batch_is_followed_by_the_next_without_a_pause() -> None:
    chores, pauses = Chores(recover=Script(3, 3, 2)), Pauses()
    chores.match, chores.tell = Script(*[3] * 50), Script(*[3] * 50)
    chores.reconcile, chores.forget = Script(*[3] * 50), Script(*[3] * 50)

    await worker_of(chores, pauses).run()

    assert chores.recover.limits == [3, 3, 3, 3]
    assert pauses.seconds == [0.5, 0.5]  # After the batch of two, and after the empty one.


async def test_a_round_that_crashes_does_not_end_the_worker() -> None:
    chores = Chores(recover=Script(ZeroDivisionError("a bug"), 1, ZeroDivisionError("again")))

    await worker_of(chores, Pauses()).run()

    assert len(chores.recover.limits) == 4


async def test_recovery_goes_on_while_mail_keeps_failing() -> None:
    chores = Chores(recover=Script(3, 3, 3, 3), tell=Script(*[RuntimeError("no mail")] * 99))

    await worker_of(chores, Pauses()).run()

    assert len(chores.recover.limits) == 5
    assert chores.tell.limits
    assert chores.match.limits


async def test_an_outage_is_logged_once_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = StoreUnavailable("connection refused by 10.1.2.3")
    chores = Chores(recover=Script(away, away, away, away, 1, away))
    caplog.set_level(logging.INFO, "order_core.worker")

    await worker_of(chores, Pauses()).run()

    assert [record.getMessage() for record in caplog.records] == [
        "recover cannot reach the store, and goes on trying: connection refused by 10.1.2.3",
        "recover works again, after 4 failed rounds",
        "recover cannot reach the store, and goes on trying: connection refused by 10.1.2.3",
        "recover works again, after 1 failed rounds",
    ]


async def test_pauses_double_while_the_store_is_away_and_never_exceed_the_longest() -> None:
    away = [StoreUnavailable("gone")] * 40
    chores, pauses = Chores(recover=Script(*away)), Pauses()
    chores.match, chores.tell = Script(*[3] * 1000), Script(*[3] * 1000)
    chores.reconcile, chores.forget = Script(*[3] * 1000), Script(*[3] * 1000)

    await worker_of(chores, pauses).run()

    assert pauses.seconds[:4] == [1, 2, 4, 8]
    assert max(pauses.seconds) == LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
async def test_chance_shortens_a_pause_by_up_to_a_half(chance: float, pause: float) -> None:
    chores, pauses = Chores(recover=Script(StoreUnavailable("gone"))), Pauses()
    chores.tell = Script(*[3] * 100)

    await worker_of(chores, pauses, chance=chance).run()

    assert pauses.seconds[0] == pause


async def test_stopping_finishes_the_round_that_is_under_way() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Slow(Script):
        async def __call__(self, *, limit: int) -> int:
            begun.set()
            await may_end.wait()
            ended.set()
            return limit

    worker = Worker(Chores(recover=Slow()))
    running = asyncio.create_task(worker.run())
    await begun.wait()
    worker.stop()
    await asyncio.sleep(0)
    assert not running.done()
    may_end.set()
    await running

    assert ended.is_set()


async def test_stopping_does_not_wait_for_a_pause_to_end() -> None:
    worker = Worker(Chores(), poll_seconds=3_600)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    worker.stop()

    async with asyncio.timeout(5):
        await running


async def test_a_worker_whose_clock_is_wrong_rests_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = ClockAskew(-42.0, 15.0)
    chores = Chores(recover=Script(wrong, wrong, 1))
    caplog.set_level(logging.INFO, "order_core.worker")

    await worker_of(chores, Pauses()).run()

    assert [record.getMessage() for record in caplog.records] == [
        f"recover rests until the clock is right: {wrong}",
        "recover works again, after 2 failed rounds",
    ]
