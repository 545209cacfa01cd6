"""Nobody adds a column without saying whether it tells of a person."""

import runpy
from pathlib import Path

import pytest
from sqlalchemy import JSON, Column, LargeBinary, MetaData, String, Table, Text

from order_sqlalchemy.personal_data import COLUMNS, NotPersonal, Personal
from order_sqlalchemy.schema import metadata

PROJECT = Path(__file__).parents[2]
LISTING = runpy.run_path(str(PROJECT / "tools" / "list_personal_data.py"))
_MAY_TELL = (String, JSON, LargeBinary)


def _columns(of: MetaData) -> set[tuple[str, str]]:
    return {
        (table.name, column.name)
        for table in of.sorted_tables
        for column in table.columns
        if isinstance(column.type, _MAY_TELL)
    }


def _named() -> set[tuple[str, str]]:
    return {(table, column) for table, columns in COLUMNS.items() for column in columns}


def test_every_column_of_text_is_called_personal_or_not() -> None:
    unnamed = sorted(_columns(metadata) - _named())

    assert not unnamed, (
        f"say in order_sqlalchemy/personal_data.py what these tell of a person: {unnamed}"
    )


def test_no_column_is_named_that_is_not_there() -> None:
    assert _named() <= _columns(metadata)


def test_a_column_that_nobody_named_would_be_found() -> None:
    forgotten = MetaData()
    Table("orders", forgotten, Column("birthday_present_for", Text), Column("photo", LargeBinary))

    assert len(_columns(forgotten) - _named()) == 2


@pytest.mark.parametrize(("table", "column"), sorted(_named()))
def test_each_says_why(table: str, column: str) -> None:
    match COLUMNS[table][column]:
        case Personal(what, what_for, until):
            assert all((what, what_for, until))
        case NotPersonal(because):
            assert because


def test_the_document_lists_what_the_code_names() -> None:
    text = (PROJECT / "docs" / "personal-data.md").read_text(encoding="utf-8")

    assert LISTING["BEGIN"] in text
    assert LISTING["with_table"](text) == text
    assert "| `orders.shipping_address` | name and address | to ship the goods |" in text
