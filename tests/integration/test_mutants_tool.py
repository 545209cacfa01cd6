"""What the tool that plants bugs says of a bug that is found, missed, or no bug at all."""

from dataclasses import replace
from pathlib import Path

import pytest
from tools.mutants.killing import Killer, Verdict, green, snapshot, tried
from tools.mutants.mutant import Mutant, all_lists

TEST = "tests/unit/core/test_circuit_breaker.py::test_after_many_silences_nothing_new_is_begun"
FILE = "src/order_core/circuit_breaker.py"
OLD = "        if refused or circuit.silences >= SILENCES:\n"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = snapshot(tmp_path_factory.mktemp("original"))
    # Compiles it too, once for all mutants.
    assert green(copy, [Killer("suite", (TEST,))]) is None
    return copy


def planted(original: Path, new: str, *, file: str = FILE, old: str = OLD) -> Verdict:
    mutant = Mutant("m", "It breaks.", file, old, new, killed_by=(TEST,))
    return tried(mutant, original, every=False)


def test_a_bug_that_the_test_sees_is_killed_by_what_it_asserts(original: Path) -> None:
    verdict = planted(original, "        if refused:\n")

    (kill,) = verdict.kills
    assert (kill.kind, kill.by, kill.because) == ("suite", TEST, "Failed")


def test_a_change_that_no_test_sees_has_survived(original: Path) -> None:
    assert planted(original, "        if circuit.silences >= SILENCES or refused:\n").survived


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SILENCES: Final = 10\n", "SILENCES: Final = ten\n"),
        (OLD, "        if refused or circuit.silence >= SILENCES:\n"),
        (OLD, "        if refused or circuit.silences >= 'ten':\n"),
    ],
    ids=["cannot be imported", "no such attribute", "no such comparison"],
)
def test_a_mutant_that_stumbles_over_itself_is_a_mistake(
    original: Path, old: str, new: str
) -> None:
    verdict = planted(original, new, old=old)

    assert verdict.mistake is not None
    assert not verdict.survived


def test_a_bug_in_what_no_killer_imports_has_survived(original: Path) -> None:
    file = "src/adapters/order_adyen/marks.py"
    old = (original / "adapters/order_adyen/marks.py").read_text(encoding="utf-8")
    verdict = planted(original, old + "\nassert False\n", file=file, old=old)

    assert verdict.survived


def test_a_killer_that_is_red_anyway_proves_nothing(original: Path) -> None:
    nowhere = "tests/unit/core/test_circuit_breaker.py::test_that_is_not_there"

    assert green(original, [Killer("suite", (nowhere,))])


# The explorer as a killer ----------------------------------------------------------------

EXPLORED = "create-retry-worker --faults 1"


def test_the_explorer_finds_a_charge_that_is_sent_before_it_is_recorded(original: Path) -> None:
    (mutant,) = (
        mutant
        for each in all_lists()
        for mutant in each.mutants
        if mutant.name == "no-save-before-the-call"
    )
    explored = replace(mutant, killed_by=(), explorer=(EXPLORED,))

    (kill,) = tried(explored, original, every=False).kills
    assert (kill.kind, kill.by) == ("explorer", EXPLORED)


def test_with_every_killer_one_that_finds_nothing_counts_as_missed(original: Path) -> None:
    mutant = Mutant("m", "It breaks.", FILE, OLD, "        if refused:\n", killed_by=(TEST,))
    scenario = "two-workers --faults 0"
    verdict = tried(replace(mutant, explorer=(scenario,)), original, every=True)

    assert [kill.kind for kill in verdict.kills] == ["suite"]
    assert verdict.survived
    assert verdict.missed == ("explorer",)
