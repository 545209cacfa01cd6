"""The table of incidents names every test that plays one, and no test that is not there."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
NUMBERS = [str(number) for number in range(1, 55)]
_DEFINED = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)
_NUMBERED = re.compile(r"test_incident_(\d\d)_\w+")
_ROW = re.compile(r"^\| (?!No\. |Request )(.+) \|$", re.MULTILINE)


def rows() -> list[list[str]]:
    """The cells of each row; the tests are in the last one."""
    text = (PROJECT / "docs" / "incidents.md").read_text(encoding="utf-8")
    return [[cell.strip() for cell in row.split(" | ")] for row in _ROW.findall(text)]


def named_in(row: list[str]) -> list[str]:
    return re.findall(r"`([^`]+)`", row[-1])


def defined_tests() -> set[str]:
    return {
        f"{path.relative_to(PROJECT)}::{name}"
        for path in (PROJECT / "tests").rglob("test_*.py")
        for name in _DEFINED.findall(path.read_text(encoding="utf-8"))
    }


def test_every_incident_has_one_row_with_every_cell_filled() -> None:
    assert [row[0] for row in rows() if row[0].isdigit()] == NUMBERS
    assert {len(row) for row in rows()} == {4, 5}
    assert all(all(row[:-1]) for row in rows())


def test_every_row_names_a_test_or_says_that_it_is_out_of_scope() -> None:
    silent = [
        row[0] for row in rows() if not named_in(row) and "out of scope" not in row[-2].lower()
    ]

    assert silent == []


def test_the_table_and_the_tests_that_bear_a_number_are_the_same() -> None:
    in_table = {(row[0], test) for row in rows() if row[0].isdigit() for test in named_in(row)}
    in_code = {
        (str(int(match[1])), test)
        for test in defined_tests()
        if (match := _NUMBERED.fullmatch(test.partition("::")[2]))
    }

    assert in_table == in_code


def test_every_other_test_that_the_page_names_is_there() -> None:
    named = {test for row in rows() if not row[0].isdigit() for test in named_in(row)}
    missing = {test for test in named - defined_tests() if not (PROJECT / test).exists()}

    assert missing == set()
