"""How often the sandbox's thread calls SQLite: after every call it may wait for the event loop."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from order_core.outcomes import Continue, NotFound, OutcomeUnknown, Succeeded
from order_core.payment import PaymentTransaction
from order_sandbox import SandboxLedger
from tests.integration.sqlalchemy_orders import NOON, a_charge

_WRITES = ["INSERT movements", "INSERT answers"]
_TABLES = ("answers", "movements")


class Statements(list[str]):
    """The statements since they were last told, each as its verb and its table."""

    def note(self, statement: str) -> None:
        verb, *rest = statement.split()
        self.append(" ".join([verb, *[word for word in rest if word in _TABLES][:1]]))

    def told(self) -> list[str]:
        told = list(self)
        self.clear()
        return told


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SandboxLedger]:
    ledger = SandboxLedger(tmp_path / "ledger.sqlite3", now=lambda: NOON)
    yield ledger
    ledger.close()


@pytest.fixture
def statements(ledger: SandboxLedger) -> Statements:
    statements = Statements()
    connection = ledger._connection()  # noqa: SLF001 - SQLite tells this of its own connection only
    connection.set_trace_callback(statements.note)
    return statements


def _charge(**but: str) -> PaymentTransaction:
    return a_charge("o-1", **{"provider": "sandbox", "token": "ok", "sends": 1, **but})


def test_a_charge_in_a_turn_needs_one_and_the_turn_itself_six(
    ledger: SandboxLedger, statements: Statements
) -> None:
    with ledger.together():
        for _ in range(20):
            ledger.receive(_charge())

    begins, ends = ["BEGIN", "UPDATE movements"], [*_WRITES, "COMMIT"]
    highest = "SELECT movements"
    asked = ["SELECT answers", highest, *["SELECT answers"] * 19]
    assert statements.told() == begins + asked + ends


def test_a_charge_alone_needs_seven_also_after_a_turn(
    ledger: SandboxLedger, statements: Statements
) -> None:
    with ledger.together():
        pass
    statements.clear()

    ledger.receive(_charge())

    assert statements.told() == [
        *("BEGIN", "UPDATE movements", "SELECT answers", "SELECT movements", *_WRITES, "COMMIT"),
    ]


def test_a_turn_of_any_length_is_written_by_sixty_four(
    ledger: SandboxLedger, statements: Statements
) -> None:
    with ledger.together():
        for _ in range(200):
            ledger.receive(_charge())

    assert len(ledger.entries()) == 200
    assert statements.told().count("INSERT movements") == 4


def test_whoever_reads_in_a_turn_finds_what_was_entered_in_it(
    ledger: SandboxLedger, statements: Statements
) -> None:
    charge = _charge()
    with ledger.together():
        paid = ledger.receive(charge).answer
        again = ledger.receive(charge).answer
        found = ledger.look_up(charge)
        last = ledger.receive(charge).answer
        another = ledger.receive(replace(charge, return_url="https://elsewhere.example")).answer

    assert isinstance(paid, Succeeded)
    assert again == found == last == paid
    assert another == OutcomeUnknown("key_reused_with_another_request")
    assert [each.reference for each in ledger.entries()] == [paid.reference]


def test_a_second_step_needs_no_more_than_a_charge(
    ledger: SandboxLedger, statements: Statements
) -> None:
    first = _charge(token="two_step")
    begun = ledger.receive(first).answer
    assert isinstance(begun, Continue)
    second = replace(first, step=2, provider_reference=begun.reference)

    with ledger.together():
        statements.clear()
        assert isinstance(ledger.receive(second).answer, Succeeded)
    assert statements.told() == [
        *("SELECT answers", "UPDATE movements", "INSERT answers", "COMMIT"),
    ]


def test_a_look_up_in_a_turn_needs_one(ledger: SandboxLedger, statements: Statements) -> None:
    with ledger.together():
        statements.clear()
        assert ledger.look_up(_charge()) == NotFound()
        assert statements.told() == ["SELECT movements"]
