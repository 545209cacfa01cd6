"""The pretended provider's books outlive every process, and serve several."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from order_core.outcomes import NotSent, OutcomeUnknown, Succeeded
from order_core.payment import PaymentTransaction
from order_memory.contracts import samples
from order_sandbox import SandboxGateway, SandboxLedger, Standing
from order_sandbox import ledger as ledger_module

# Charges the transactions named on the command line, each as often as another process may.
_CLIENT = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from order_memory.contracts import samples
from order_sandbox import SandboxGateway, SandboxLedger

async def main(path, token, at, *ids):
    gateway = SandboxGateway(SandboxLedger(Path(path)), hang_seconds=600)
    at = datetime.fromisoformat(at)
    for transaction_id in ids:
        await gateway.send(samples.a_charge("order-7", at, id=transaction_id, token=token))
    await gateway.close()

asyncio.run(main(*sys.argv[1:]))
"""


def a_charge(at: datetime, transaction_id: str, token: str) -> PaymentTransaction:
    return samples.a_charge("order-7", at, id=transaction_id, token=token)


def wait_for_an_entry(books: SandboxLedger) -> None:
    deadline = time.monotonic() + 30
    while not books.entries():
        assert time.monotonic() < deadline, "nothing was charged"
        time.sleep(0.05)


def client(path: Path, token: str, at: datetime, *ids: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _CLIENT, str(path), token, at.isoformat(), *ids])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "books.sqlite3"


async def test_a_charge_outlives_a_kill_between_charge_and_answer(path: Path) -> None:
    at = datetime.now(UTC)
    books = SandboxLedger(path)
    caller = client(path, "timeout_after_charge", at, "charge-killed")
    await asyncio.to_thread(wait_for_an_entry, books)

    assert caller.poll() is None, "it answered before it could be killed"
    os.kill(caller.pid, signal.SIGKILL)
    assert caller.wait(10) == -signal.SIGKILL

    gateway = SandboxGateway(SandboxLedger(path))
    charge = a_charge(at, "charge-killed", "timeout_after_charge")
    assert isinstance(await gateway.look_up(charge), Succeeded)
    # The key is remembered too: asking again takes nothing more.
    assert isinstance(await gateway.send(charge), Succeeded)
    assert len(books.entries()) == 1
    await gateway.close()
    books.close()


def test_two_processes_with_the_same_keys_take_each_payment_once(path: Path) -> None:
    at = datetime.now(UTC)
    ids = [f"charge-{n}" for n in range(25)]

    # Started at once on a file that is not there yet, so that they also race to make it.
    callers = [client(path, "ok", at, *ids) for _ in range(2)]
    assert [caller.wait(40) for caller in callers] == [0, 0]

    books = SandboxLedger(path)
    entries = books.entries()
    assert sorted(entry.transaction_id for entry in entries) == sorted(ids)
    assert {entry.standing for entry in entries} == {Standing.SUCCEEDED}
    assert len({entry.reference for entry in entries}) == len(ids)
    books.close()


def test_the_same_file_is_the_same_account_and_a_new_one_is_another(
    path: Path, tmp_path: Path
) -> None:
    books = [SandboxLedger(path), SandboxLedger(path), SandboxLedger(tmp_path / "new.sqlite3")]

    first, again, other = (each.account for each in books)

    assert first == again
    assert first != other
    for each in books:
        each.close()


async def test_a_request_is_too_late_by_the_time_it_reaches_the_books(path: Path) -> None:
    recorded = datetime.now(UTC)
    # As if it had waited for the file for as long as it may be sent at all.
    books = SandboxLedger(path, now=lambda: recorded + timedelta(minutes=10))

    received = books.receive(a_charge(recorded, "charge-late", "ok"))

    assert received.answer == NotSent("too_late")
    assert books.entries() == ()
    books.close()


def test_a_request_of_a_turn_is_too_late_by_the_clock_when_it_is_taken_in(path: Path) -> None:
    recorded = datetime.now(UTC)
    times = iter([recorded, recorded, recorded + timedelta(minutes=10)])
    books = SandboxLedger(path, now=lambda: next(times))

    with books.together():
        taken_in = books.receive(a_charge(recorded, "charge-1", "ok"))
        late = books.receive(a_charge(recorded, "charge-late", "ok"))

    assert isinstance(taken_in.answer, Succeeded)
    assert late.answer == NotSent("too_late")
    books.close()


def test_of_a_turn_that_fails_nothing_is_there(path: Path) -> None:
    at = datetime.now(UTC)
    books = SandboxLedger(path)

    with suppress(LookupError), books.together():
        books.receive(a_charge(at, "charge-1", "ok"))
        raise LookupError

    assert books.entries() == ()
    # Nor does a later request belong to it.
    books.receive(a_charge(at, "charge-2", "ok"))
    assert [entry.transaction_id for entry in books.entries()] == ["charge-2"]
    books.close()


def test_a_new_entry_has_the_number_after_the_newest(path: Path) -> None:
    at = datetime.now(UTC)
    books = SandboxLedger(path)
    charge = a_charge(at, "charge-1", "ok")
    taken = books.receive(charge).answer
    assert isinstance(taken, Succeeded)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("UPDATE movements SET number = 41")
    other.close()

    books.receive(a_charge(at, "charge-2", "ok"))
    books.receive(samples.a_refund(charge, parent_reference=taken.reference))

    references = [entry.reference for entry in books.entries()]
    assert references == ["sb-charge-1", "sb-charge-42", "sb-refund-43"]
    books.close()


async def test_books_that_another_keeps_locked_send_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "_BUSY_SECONDS", 0.05)
    gateway = SandboxGateway(SandboxLedger(path))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    locked_out = await gateway.send(a_charge(datetime.now(UTC), "charge-locked", "ok"))
    looked_up = await gateway.look_up(a_charge(datetime.now(UTC), "charge-locked", "ok"))
    other.execute("ROLLBACK")
    other.close()

    assert locked_out == NotSent("ledger_busy")
    assert isinstance(looked_up, OutcomeUnknown)
    assert gateway.ledger.entries() == ()
    await gateway.close()


def test_every_entry_reaches_the_disk_before_it_is_answered(path: Path) -> None:
    books = SandboxLedger(path)
    books.receive(a_charge(datetime.now(UTC), "charge-1", "ok"))

    connection = books._connection()  # noqa: SLF001 - SQLite shows this to its own connection only
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    (journal,) = connection.execute("PRAGMA journal_mode").fetchone()

    assert (synchronous, journal) == (2, "wal")
    books.close()
