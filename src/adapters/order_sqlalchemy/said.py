"""What a database's error may say in a log: its kind and its reason, and nothing stored."""

import sqlite3
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

_ABOUT_DATA: Final = "22"
"""The class of errors whose very first words quote a value."""


def said(error: BaseException) -> str:
    """The error in a few words, without a value.

    What a server adds below its first line quotes the row that it refused, and what a driver
    says of an argument quotes the argument: an address, say.
    """
    name = type(error).__name__
    # asyncpg may not be installed, so its errors are known by what they have.
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and state.startswith(_ABOUT_DATA):
        return f"{name}: {state}"
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    if isinstance(state, str) or isinstance(error, sqlite3.Error | SQLAlchemyError):
        return f"{name}: {str(error).partition(chr(10))[0]}"
    return name
