"""Unit tests reach no network, and write nowhere but to temporary folders."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_NETWORK = {"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PROJECT = Path(__file__).resolve().parents[2]
_TEMPORARY = Path(tempfile.gettempdir()).resolve()
# What Python and Hypothesis keep for themselves, at any moment that suits them.
_WRITTEN_BY_TOOLS = {"__pycache__", ".hypothesis"}


class _Guard:
    """An audit hook, because it also sees what happens below `socket` and `open`.

    Python has no way to remove one, so there is one for the whole run, and fixtures switch it.
    """

    def __init__(self) -> None:
        self.on = False

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if not self.on:
            return
        if event in _NETWORK:
            raise AssertionError(f"a unit test reached for the network: {event}{args[1:]}")
        if event == "open" and isinstance(args[2], int) and args[2] & _WRITING:
            self._refuse_unless_temporary(args[0])
        if event == "sqlite3.connect" and args[0] != ":memory:":
            self._refuse_unless_temporary(args[0])

    def _refuse_unless_temporary(self, target: object) -> None:
        if not isinstance(target, str | bytes | os.PathLike):
            return  # A file descriptor, which somebody has opened before.
        path = Path(os.fsdecode(target)).resolve()
        if path != Path(os.devnull) and not _is_temporary(path):
            raise AssertionError(f"a unit test wrote outside of its temporary folder: {path}")


def _is_temporary(path: Path) -> bool:
    if not _WRITTEN_BY_TOOLS.isdisjoint(path.parts):
        return True
    # The project itself may have been cloned to a temporary folder.
    in_project = path.is_relative_to(_PROJECT) and not _TEMPORARY.is_relative_to(_PROJECT)
    return path.is_relative_to(_TEMPORARY) and not in_project


_guard = _Guard()
sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def _neither_network_nor_disk() -> Iterator[None]:
    _guard.on = True
    yield
    _guard.on = False
