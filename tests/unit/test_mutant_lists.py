"""The lists of planted bugs fit the code, and the document shows what they hold."""

import re
from pathlib import Path

import pytest
from tools.mutants.document import TARGET, Found, found, page, rows_in
from tools.mutants.killing import Kill, Verdict
from tools.mutants.mutant import ROOT, ListMistake, Mutant, MutantList, all_lists

from order_explorer.scenarios import SCENARIOS

MUTANTS = [mutant for each in all_lists() for mutant in each.mutants]
GOOD = """
[[mutant]]
name = "twice-two-is-five"
says = "Twice two is five."
file = "src/order_core/money.py"
old = "4"
new = "5"
killed_by = ["tests/unit/core/test_money.py::test_arithmetic"]
"""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_into_its_file(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text(encoding="utf-8")

    assert mutant.planted_in(source) != source


def test_every_named_scenario_is_one() -> None:
    known = {scenario.name for scenario in SCENARIOS}

    assert {asked.split()[0] for mutant in MUTANTS for asked in mutant.explorer} <= known


def test_every_named_killer_is_a_test() -> None:
    contracts = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "src/adapters/order_memory/contracts").glob("*.py")
    )
    missing = []
    for test in (test for mutant in MUTANTS for test in mutant.killed_by):
        path, *names = test.partition("[")[0].split("::")
        source = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).exists() else ""
        known = source + contracts if len(names) > 1 else source
        if not source or not all(re.search(rf"(def|class) {name}\b", known) for name in names):
            missing.append(test)

    assert missing == []


def test_the_document_shows_every_mutant_of_the_lists() -> None:
    names = [mutant.name for mutant in MUTANTS]

    assert list(rows_in(TARGET.read_text(encoding="utf-8"))) == names
    assert len(names) >= 30


def test_the_document_names_killer_and_seconds() -> None:
    mutant = Mutant("m-1", "All is free.", "src/x.py", "a", "b", "Nobody pays.", ("tests/t.py",))
    kills = (
        Kill("suite", "tests/t.py::test_a_price[free]", "AssertionError", 1.31),
        Kill("explorer", "two-prices", "a violation", 4.0),
    )
    known = {"m-1": found(Verdict(mutant, kills, 6.0))}
    shown = page([MutantList("Prices", (mutant,))], known)

    finders = "test: a price; explorer: two-prices"
    assert f"| `m-1` | All is free. | Nobody pays. | {finders} | 1.3 |" in shown
    assert "1 mutants: 1 found by the test, 1 found by the explorer." in shown
    assert rows_in(shown) == known


def test_nothing_is_written_about_a_mutant_that_nobody_found() -> None:
    mutant = a_mutant("a", "b")

    assert page([MutantList("Prices", (mutant,))], {"m-2": Found(("test: x",), "0.1")})
    with pytest.raises(ListMistake, match="m-2"):
        page([MutantList("Prices", (mutant,))], {})


# The lists can be wrong ------------------------------------------------------------------


def a_mutant(old: str, new: str) -> Mutant:
    return Mutant("m-2", "It breaks.", "src/x.py", old, new, killed_by=("tests/t.py",))


@pytest.mark.parametrize(
    ("old", "new", "because"),
    [("x = 3", "x = 4", "0 times"), ("x", "y", "2 times"), ("= 1", "= (1", "never closed")],
)
def test_what_cannot_be_planted_is_refused(old: str, new: str, because: str) -> None:
    with pytest.raises(ListMistake, match=because):
        a_mutant(old, new).planted_in("x = 1\nx = 2\n")


@pytest.mark.parametrize(
    ("line", "instead", "because"),
    [
        ('says = "Twice two is five."', "", "`says` must be a str"),
        ('new = "5"', 'new = "4"', "the same"),
        ('file = "src/', 'file = "tests/', "below src"),
        ('name = "twice-two-is-five"', 'name = "Two!"', "small letters"),
        ("killed_by", "killed_bye", "nobody reads killed_bye"),
        ('killed_by = ["tests/unit/core/test_money.py::test_arithmetic"]', "", "nobody is named"),
        ('["tests/unit/core/test_money.py::test_arithmetic"]', '["everybody"]', "id of a test"),
        (
            "killed_by =",
            'explorer = ["two-sums --often"]\nkilled_by =',
            "SCENARIO --faults",
        ),
        ("[[mutant]]", "[[mutant]", "a.toml"),
    ],
)
def test_a_list_with_a_mistake_is_refused(
    tmp_path: Path, line: str, instead: str, because: str
) -> None:
    assert line in GOOD
    (tmp_path / "a.toml").write_text(GOOD.replace(line, instead), encoding="utf-8")

    with pytest.raises(ListMistake, match=re.escape(because)):
        all_lists(tmp_path)


def test_a_name_stands_in_one_list_only(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD, encoding="utf-8")
    (only,) = all_lists(tmp_path)
    (tmp_path / "b.toml").write_text(GOOD, encoding="utf-8")

    assert [mutant.module for mutant in only.mutants] == ["order_core.money"]
    with pytest.raises(ListMistake, match="twice-two-is-five"):
        all_lists(tmp_path)
