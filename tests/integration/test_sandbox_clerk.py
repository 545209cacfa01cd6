"""Who asks the sandbox together shares one transaction, and nobody pays for another's failure."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from order_core.outcomes import Succeeded
from order_sandbox.clerk import Clerk
from order_sandbox.ledger import LedgerBusy, Received, SandboxLedger
from tests.integration.sqlalchemy_orders import a_charge


class CountingLedger(SandboxLedger):
    """Says how many transactions of the file there were, and may fail at the end of the next."""

    commits = 0
    fails_next = False

    @contextmanager
    def together(self) -> Iterator[None]:
        self.commits += 1
        with super().together():
            yield
            if self.fails_next:
                raise sqlite3.OperationalError("disk I/O error")


@pytest.fixture
def ledger(tmp_path: Path) -> CountingLedger:
    return CountingLedger(tmp_path / "ledger.sqlite3", now=lambda: a_charge("o").recorded_at)


@pytest.fixture
async def clerk(ledger: CountingLedger) -> AsyncIterator[Clerk]:
    clerk = Clerk(ledger)
    yield clerk
    await clerk.close()


def _charge_in(ledger: SandboxLedger, order_id: str) -> Callable[[], Received]:
    charge = a_charge(order_id, provider="sandbox", token="ok", sends=1)
    return partial(ledger.receive, charge)


async def test_those_who_wait_share_one_transaction(clerk: Clerk, ledger: CountingLedger) -> None:
    asked = [clerk.ask(_charge_in(ledger, f"o-{n}"), seconds=5) for n in range(20)]

    answers = await asyncio.gather(*asked)

    assert all(isinstance(each.answer, Succeeded) for each in answers)
    assert len(ledger.entries()) == len(answers)
    # The first found the thread idle; all that came meanwhile were its next turn.
    assert ledger.commits == 2


async def test_what_one_of_them_entered_before_it_failed_is_taken_back_alone(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    def enter_and_fail() -> Received:
        with ledger._books() as books:  # noqa: SLF001 - in the middle of a request
            books.connection.execute("INSERT INTO sent_away VALUES ('half done')")
            raise LookupError("in the middle")

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
        assert books.connection.execute("SELECT * FROM sent_away").fetchall() == []


async def test_if_the_disk_fails_nobody_is_told_that_it_worked(
    clerk: Clerk, ledger: CountingLedger
) -> None:
    ledger.fails_next = True

    answers = await asyncio.gather(
        *(clerk.ask(_charge_in(ledger, f"o-{n}"), seconds=5) for n in range(3)),
        return_exceptions=True,
    )

    assert all(isinstance(each, sqlite3.OperationalError) for each in answers)
    ledger.fails_next = False
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
