"""The page about security names tests that are there, and leaves no risk and no attack without."""

import re
from pathlib import Path

import pytest

from order_http.endpoint import Endpoint
from tests.attacks.shown import row_of
from tests.unit.http_service import service

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
_NAMED = re.compile(r"`(tests/[\w/]+\.py::test_\w+)`")
_DEFINED = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)


def rows_below(heading: str) -> list[list[str]]:
    """The cells of every row between this heading and the next of its kind, titles left out."""
    mark = heading.partition(" ")[0]
    section = PAGE.partition(f"{heading}\n")[2].partition(f"\n{mark} ")[0]
    tables = re.findall(r"^\|(?! ?-)(.+)\|$", section, re.MULTILINE)
    rows = [[cell.strip() for cell in row.split(" | ")] for row in tables]
    return [row for row in rows if row[-1] != "Test"]


def test_every_test_that_the_page_names_is_there() -> None:
    defined = {
        f"{path.relative_to(PROJECT)}::{name}"
        for path in (PROJECT / "tests").rglob("test_*.py")
        for name in _DEFINED.findall(path.read_text(encoding="utf-8"))
    }
    named = set(_NAMED.findall(PAGE))

    assert len(named) > 100
    assert named - defined == set()


def test_each_of_the_ten_risks_of_owasp_has_a_row_with_a_test() -> None:
    rows = rows_below("## OWASP API Security Top 10 (2023)")

    assert [row[0].split()[0] for row in rows] == [f"API{number}" for number in range(1, 11)]
    assert all(row[1] and _NAMED.search(row[2]) for row in rows)


def test_every_attack_says_what_stops_it_and_which_test_tries_it() -> None:
    rows = rows_below("## Attack by attack")

    assert len(rows) > 50
    assert [row for row in rows if len(row) != 3 or not row[1] or not _NAMED.search(row[2])] == []


@pytest.mark.parametrize("endpoint", service().state.endpoints, ids=lambda each: each.path)
def test_the_page_shows_every_address_and_what_keeps_strangers_out(endpoint: Endpoint) -> None:
    assert row_of(endpoint) in PAGE


def test_the_page_says_how_to_report_what_is_missing() -> None:
    policy = (PROJECT / "SECURITY.md").read_text(encoding="utf-8")

    assert "docs/security.md" in policy
    assert "SECURITY.md" in PAGE
