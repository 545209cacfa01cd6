"""How often the sandbox's thread calls SQLite: after every call it may wait for the event loop."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from order_core.outcomes import Continue, NotFound, Succeeded
from order_core.payment import PaymentTransaction
from order_sandbox import SandboxLedger
from tests.integration.sqlalchemy_orders import NOON, a_charge

_CHARGE = ["SELECT answers", "INSERT movements", "INSERT answers"]
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


def test_a_charge_in_a_turn_needs_three_and_the_turn_itself_three(
    ledger: SandboxLedger, statements: Statements
) -> None:
    with ledger.together():
        for _ in range(20):
            ledger.receive(_charge())

    begins, ends = ["BEGIN", "UPDATE movements"], ["COMMIT"]
    assert statements.told() == begins + _CHARGE * 20 + ends


def test_a_charge_alone_needs_six_also_after_a_turn(
    ledger: SandboxLedger, statements: Statements
) -> None:
    with ledger.together():
        pass
    statements.clear()

    ledger.receive(_charge())

    assert statements.told() == ["BEGIN", "UPDATE movements", *_CHARGE, "COMMIT"]


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
        assert statements.told() == ["SELECT answers", "UPDATE movements", "INSERT answers"]


def test_a_look_up_in_a_turn_needs_one(ledger: SandboxLedger, statements: Statements) -> None:
    with ledger.together():
        statements.clear()
        assert ledger.look_up(_charge()) == NotFound()
        assert statements.told() == ["SELECT movements"]
