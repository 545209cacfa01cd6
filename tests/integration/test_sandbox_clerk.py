"""Who asks the sandbox together shares one transaction, and nobody pays for another's failure."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from order_core.outcomes import NotSent, RateLimited, Succeeded
from order_sandbox.clerk import Clerk
from order_sandbox.ledger import LedgerBusy, Received, SandboxLedger
from tests.integration.sqlalchemy_orders import a_charge


class CountingLedger(SandboxLedger):
    """Says how many transactions of the file there were, and fails at the end of the next ones."""

    commits = 0
    failing = 0
    seconds_a_sync = 0.0

    @contextmanager
    def together(self, *, wait_seconds: float | None = None) -> Iterator[None]:
        self.commits += 1
        with super().together(wait_seconds=wait_seconds):
            yield
            time.sleep(self.seconds_a_sync)
            if self.failing:
                self.failing -= 1
                raise sqlite3.OperationalError("disk I/O error")


@pytest.fixture
def ledger(tmp_path: Path) -> CountingLedger:
    return CountingLedger(tmp_path / "ledger.sqlite3", now=lambda: a_charge("o").recorded_at)


@pytest.fixture
async def clerk(ledger: CountingLedger) -> AsyncIterator[Clerk]:
    clerk = Clerk(ledger)
    yield clerk
    await clerk.close()


def _charge_in(ledger: SandboxLedger, order_id: str, **but: str) -> Callable[[], Received]:
    charge = a_charge(order_id, **{"provider": "sandbox", "token": "ok", "sends": 1, **but})
    return partial(ledger.receive, charge)


def _with_the_books(ledger: SandboxLedger, sql: str, *, then_fail: bool = False) -> Received:
    """Enters what `sql` says, as if it were the middle of a request."""
    with ledger._books() as books:  # noqa: SLF001 - in the middle of a request
        books.entries.connection.execute(sql)
        if then_fail:
            raise LookupError("in the middle")
    return Received(NotSent("told_not_to"))


async def test_those_who_wait_share_one_transaction(clerk: Clerk, ledger: CountingLedger) -> None:
    asked = [clerk.ask(_charge_in(ledger, f"o-{n}"), seconds=5) for n in range(20)]

    answers = await asyncio.gather(*asked)

    assert all(isinstance(each.answer, Succeeded) for each in answers)
    assert len(ledger.entries()) == len(answers)
    assert ledger.commits == 1


async def test_the_event_loop_does_not_wait_for_a_file_that_another_process_keeps(
    clerk: Clerk, ledger: CountingLedger, tmp_path: Path
) -> None:
    with _kept_by_another(ledger, tmp_path):
        asked = [asyncio.create_task(clerk.ask(_charge_in(ledger, "o-1"), seconds=5))]
        longest = await _longest_pause(seconds=0.2)
        asked.append(asyncio.create_task(clerk.ask(_charge_in(ledger, "o-2"), seconds=5)))
        longest = max(longest, await _longest_pause(seconds=0.2))
        assert not any(each.done() for each in asked)

    answers = await asyncio.gather(*asked)

    assert all(isinstance(each.answer, Succeeded) for each in answers)
    assert longest < 1, "seconds for which the event loop stood still"


async def test_the_event_loop_waits_once_for_a_disk_that_is_slow(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    ledger.seconds_a_sync = 0.5

    async def ask_in_turn() -> None:
        for number in range(3):
            await clerk.ask(_charge_in(ledger, f"o-{number}"), seconds=5)

    asking = asyncio.create_task(ask_in_turn())
    first = await _longest_pause(seconds=0.1)
    longest = await _longest_pause(seconds=0.9)
    await asking

    assert len(ledger.entries()) == 3
    assert first >= 0.5
    assert longest < 0.4, "seconds for which the event loop stood still"


async def test_nobody_is_kept_waiting_by_a_clerk_that_is_closed(ledger: CountingLedger) -> None:
    clerk = Clerk(ledger)
    before = asyncio.create_task(clerk.ask(_charge_in(ledger, "o-1"), seconds=5))
    await asyncio.sleep(0)
    closing_it = asyncio.create_task(clerk.close())
    after = asyncio.create_task(clerk.ask(_charge_in(ledger, "o-2"), seconds=5))
    async with asyncio.timeout(1):
        answers = await asyncio.gather(before, closing_it, after, return_exceptions=True)

    told = [type(each) for each in answers]
    assert told[2] is LedgerBusy
    # Answered as a whole or not at all, and nothing of it is on the disk then.
    assert told[0] is (Received if ledger.entries() else LedgerBusy)


async def test_the_event_loop_does_not_wait_to_open_a_file_that_another_process_keeps(
    clerk: Clerk, ledger: CountingLedger, tmp_path: Path
) -> None:
    with _kept_by_another(ledger, tmp_path):
        ledger.close()
        asked = asyncio.create_task(clerk.ask(_charge_in(ledger, "o-1"), seconds=5))
        longest = await _longest_pause(seconds=0.2)

    assert isinstance((await asked).answer, Succeeded)
    assert longest < 1, "seconds for which the event loop stood still"


async def test_the_event_loop_does_not_wait_for_another_thread_that_waits_for_the_file(
    clerk: Clerk, ledger: CountingLedger, tmp_path: Path
) -> None:
    with _kept_by_another(ledger, tmp_path):
        page = asyncio.create_task(asyncio.to_thread(ledger.find, "sb-charge-1"))
        await asyncio.sleep(0.05)
        asked = asyncio.create_task(clerk.ask(_charge_in(ledger, "o-1"), seconds=5))
        longest = await _longest_pause(seconds=0.2)

    assert isinstance((await asked).answer, Succeeded)
    await page
    assert longest < 1, "seconds for which the event loop stood still"


@contextmanager
def _kept_by_another(ledger: SandboxLedger, folder: Path) -> Iterator[None]:
    """Nobody else can enter anything meanwhile."""
    ledger.entries()
    with closing(sqlite3.connect(folder / "ledger.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def _longest_pause(*, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    longest, began = 0.0, loop.time()
    while (before := loop.time()) < began + seconds:
        await asyncio.sleep(0.001)
        longest = max(longest, loop.time() - before)
    return longest


async def test_what_one_of_them_entered_before_it_failed_is_taken_back_alone(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    half_done = "INSERT INTO sent_away VALUES ('half done')"
    enter_and_fail = partial(_with_the_books, ledger, half_done, then_fail=True)

    answers = await asyncio.gather(
        clerk.ask(_charge_in(ledger, "o-1"), seconds=5),
        clerk.ask(_charge_in(ledger, "o-2"), seconds=5),
        clerk.ask(enter_and_fail, seconds=5),
        clerk.ask(_charge_in(ledger, "o-3"), seconds=5),
        return_exceptions=True,
    )

    assert [type(each).__name__ for each in answers] == [
        "Received",
        "Received",
        "LookupError",
        "Received",
    ]
    assert [entry.order_id for entry in ledger.entries()] == ["o-1", "o-2", "o-3"]
    with ledger._books() as books:  # noqa: SLF001 - past the provider
        assert books.entries.connection.execute("SELECT * FROM sent_away").fetchall() == []


async def test_who_is_asked_again_because_another_failed_acts_as_if_asked_once(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    fail = partial(_with_the_books, ledger, "SELECT 1", then_fail=True)

    first, once, paid, failed, last = await asyncio.gather(
        clerk.ask(_charge_in(ledger, "o-1"), seconds=5),
        clerk.ask(_charge_in(ledger, "o-2", token="rate_limited_once"), seconds=5),
        clerk.ask(_charge_in(ledger, "o-3", token="once_ann"), seconds=5),
        clerk.ask(fail, seconds=5),
        clerk.ask(_charge_in(ledger, "o-4"), seconds=5),
        return_exceptions=True,
    )

    assert isinstance(failed, LookupError)
    # Its second run would be paid, had the first one left its trace.
    assert isinstance(once, Received)
    assert isinstance(once.answer, RateLimited)
    # The answers are those of the runs that are on the disk, under the numbers that these have.
    told = [each.answer for each in (first, paid, last) if isinstance(each, Received)]
    on_disk = [entry.outcome("") for entry in ledger.entries()]
    assert told == on_disk
    assert [entry.reference for entry in ledger.entries()] == [
        "sb-charge-1",
        "sb-charge-2",
        "sb-charge-3",
    ]


async def test_one_failure_costs_the_others_few_transactions(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    fail = partial(_with_the_books, ledger, "SELECT 1", then_fail=True)
    asked = [clerk.ask(_charge_in(ledger, f"o-{n}"), seconds=5) for n in range(63)]

    answers = await asyncio.gather(*asked, clerk.ask(fail, seconds=5), return_exceptions=True)

    assert [type(each) for each in answers] == [Received] * 63 + [LookupError]
    # The turn on the loop, on the thread, and two halves of each of 64, 32, 16, 8, 4 and 2.
    assert ledger.commits == 1 + 1 + 2 * 6


async def test_a_turn_that_could_not_be_committed_is_answered_all_the_same(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    ledger.failing = 2  # The turn on the event loop, and then on the thread.

    answers = await asyncio.gather(
        *(clerk.ask(_charge_in(ledger, f"o-{n}"), seconds=5) for n in range(4)),
        return_exceptions=True,
    )

    assert [type(each) for each in answers] == [Received] * 4
    assert [entry.order_id for entry in ledger.entries()] == ["o-0", "o-1", "o-2", "o-3"]


async def test_who_keeps_a_turn_from_being_committed_fails_alone(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    connection = ledger._connection()  # noqa: SLF001 - a COMMIT of SQLite's own that fails
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE parent (id PRIMARY KEY)")
    connection.execute("CREATE TABLE orphan (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
    orphan = partial(_with_the_books, ledger, "INSERT INTO orphan VALUES (7)")

    answers = await asyncio.gather(
        clerk.ask(_charge_in(ledger, "o-1"), seconds=5),
        clerk.ask(_charge_in(ledger, "o-2"), seconds=5),
        clerk.ask(orphan, seconds=5),
        clerk.ask(_charge_in(ledger, "o-3"), seconds=5),
        return_exceptions=True,
    )

    assert [type(each) for each in answers] == [
        Received,
        Received,
        sqlite3.IntegrityError,
        Received,
    ]
    assert [entry.order_id for entry in ledger.entries()] == ["o-1", "o-2", "o-3"]
    assert connection.execute("SELECT * FROM orphan").fetchall() == []


async def test_if_the_disk_fails_nobody_is_told_that_it_worked(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    ledger.failing = 1000

    answers = await asyncio.gather(
        *(clerk.ask(_charge_in(ledger, f"o-{n}"), seconds=5) for n in range(3)),
        return_exceptions=True,
    )

    assert all(isinstance(each, sqlite3.OperationalError) for each in answers)
    assert ledger.entries() == ()


async def test_a_file_that_stays_locked_is_said_to_be_busy_to_all(
    clerk: Clerk, ledger: CountingLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("order_sandbox.ledger._BUSY_SECONDS", 0.05)
    ledger.entries()
    ledger.close()
    other = sqlite3.connect(ledger._path, isolation_level=None)  # noqa: SLF001 - the same file
    other.execute("BEGIN IMMEDIATE")

    answers = await asyncio.gather(
        *(clerk.ask(_charge_in(ledger, f"o-{n}"), seconds=5) for n in range(3)),
        return_exceptions=True,
    )
    other.close()

    assert all(isinstance(each, LedgerBusy) for each in answers)
    # On the event loop, and on the thread: who asked again would wait for the lock again.
    assert ledger.commits == 2


async def test_who_gives_up_waiting_keeps_nobody_else_from_his_answer(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    impatient = asyncio.create_task(clerk.ask(_charge_in(ledger, "o-1"), seconds=5))
    patient = asyncio.create_task(clerk.ask(_charge_in(ledger, "o-2"), seconds=5))
    await asyncio.sleep(0)
    impatient.cancel()

    assert isinstance((await patient).answer, Succeeded)
    # Like at a provider: the request was on its way.
    assert [entry.order_id for entry in ledger.entries()] == ["o-1", "o-2"]
    assert isinstance((await clerk.ask(_charge_in(ledger, "o-3"), seconds=5)).answer, Succeeded)
