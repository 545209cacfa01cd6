"""One transaction on SQLite: for one piece of work, or for several that came together."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class CommitFailed(Exception):
    """COMMIT itself failed, in a way that leaves open what is in the file."""


@dataclass(frozen=True, slots=True)
class Done:
    """What one piece of work came to: its result, or what it raised and was taken back for."""

    result: Any = None
    error: Exception | None = None


def in_transaction(connection: sqlite3.Connection, work: Work[T]) -> T:
    """What `work` returns, when it is on the disk.

    Raises:
        CommitFailed: nobody knows whether it is.
        Exception: what `work` or SQLite raised; then nothing is.
    """
    # Not a plain BEGIN: two that read first and write later overwrite each other, or fail.
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
    except BaseException:
        _roll_back(connection)
        raise
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL}:
            raise
        raise CommitFailed(str(error)) from error
    return result


def one_by_one(connection: sqlite3.Connection, pieces: Sequence[Work[Any]]) -> list[Done]:
    """Each piece of work in its place; one that fails is taken back alone.

    Raises:
        Exception: SQLite has taken all of it back, because the disk is full, say.
    """
    if len(pieces) == 1:
        return [Done(pieces[0](connection))]
    done = []
    for work in pieces:
        connection.execute("SAVEPOINT piece")
        try:
            done.append(Done(work(connection)))
        except Exception as error:
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO piece")
            done.append(Done(error=error))
        connection.execute("RELEASE piece")
    return done


def _roll_back(connection: sqlite3.Connection) -> None:
    # SQLite has done it already after some errors, a full disk for one.
    if connection.in_transaction:
        connection.execute("ROLLBACK")
