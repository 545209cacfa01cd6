"""The document about the invariants is the code's own list."""

import re
import runpy
from pathlib import Path

import pytest

from order_core.invariants import INVARIANTS, promises
from order_core.invariants_across import ACROSS
from order_sqlalchemy.schema import metadata

PROJECT = Path(__file__).parents[2]
LISTING = runpy.run_path(str(PROJECT / "tools" / "list_invariants.py"))


def test_the_listed_invariants_are_those_in_the_code() -> None:
    text = (PROJECT / "docs" / "invariants.md").read_text(encoding="utf-8")

    assert LISTING["BEGIN"] in text
    assert LISTING["with_table"](text) == text
    assert all(f"| `{i.name}` | {i.says} |" in text for i in INVARIANTS)
    assert all(f"| `{i.name}` | {i.says} |" in text for i in ACROSS)


@pytest.mark.parametrize(
    ("player", "folder"),
    [
        ("explorer", "src/entrypoints/order_explorer"),
        ("simulator", "src/entrypoints/order_simulator"),
        ("chaos", "tests/chaos"),
    ],
)
def test_who_is_said_to_play_a_promise_asks_for_it(player: str, folder: str) -> None:
    source = "".join(file.read_text("utf-8") for file in (PROJECT / folder).glob("*.py"))
    players = LISTING["PLAYERS"]
    for constant, rule in vars(promises).items():
        if rule in promises.PROMISES:
            said = player in players.get(rule.name, LISTING["EVERY_PLAYER"])
            # Once where it is imported, and once where it is asked.
            assert (len(re.findall(rf"\b{constant}\b", source)) > 1) is said, rule.name
    names = {i.name for i in (*INVARIANTS, *ACROSS, *promises.PROMISES)}
    assert set(players) <= names


def test_every_constraint_that_is_named_exists_and_stands_for_an_invariant() -> None:
    there = {
        str(rule.name)
        for table in metadata.tables.values()
        for rules in (table.constraints, table.indexes)
        for rule in rules
    }
    named = {name for names in LISTING["CONSTRAINTS"].values() for name in names}

    assert named <= there
    assert set(LISTING["CONSTRAINTS"]) <= {i.name for i in INVARIANTS} | {i.name for i in ACROSS}
