"""The guard of the unit tests can fail."""

import asyncio
import socket
import sqlite3
from pathlib import Path

import pytest


def test_a_connection_is_refused() -> None:
    with socket.socket() as caller, pytest.raises(AssertionError, match="network"):
        caller.connect(("127.0.0.1", 9))


async def test_a_connection_through_the_event_loop_is_refused_too() -> None:
    with pytest.raises(AssertionError, match="network"):
        await asyncio.open_connection("127.0.0.1", 9)


def test_a_file_outside_of_the_temporary_folder_is_refused() -> None:
    with pytest.raises(AssertionError, match="left-behind"):
        Path("left-behind.txt").write_text("forgotten")


def test_a_database_outside_of_the_temporary_folder_is_refused() -> None:
    with pytest.raises(AssertionError, match="left-behind"):
        sqlite3.connect("left-behind.sqlite3")


def test_the_temporary_folder_can_be_written(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("kept")

    assert note.read_text() == "kept"
