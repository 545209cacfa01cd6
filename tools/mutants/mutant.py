"""What a list of mutants holds, and how one is planted."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LISTS: Final = Path(__file__).parent
ROOT: Final = LISTS.parents[1]

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TEST: Final = re.compile(r"(tests/[\w/]+\.py)((::\w+)+(\[.+\])?)?")
_EXPLORED: Final = re.compile(r"[a-z]+(-[a-z]+)*( --faults [0-5])?")
_ROOTS: Final = ("src/adapters/", "src/entrypoints/", "src/")
_ASKED_FOR: Final[dict[str, type]] = {"name": str, "says": str, "file": str, "old": str, "new": str}
_OPTIONAL: Final[dict[str, type]] = {
    "breaks": str,
    "killed_by": list,
    "explorer": list,
    "simulator": bool,
}


class ListMistake(Exception):
    """A list of mutants is wrong: where, and what."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug, and who should find it. The fields are explained in run.py."""

    name: str
    says: str
    file: str
    old: str
    new: str
    breaks: str = ""
    killed_by: tuple[str, ...] = ()
    explorer: tuple[str, ...] = ()
    simulator: bool = False

    @property
    def module(self) -> str:
        """The importable name of the mutated file."""
        root = next(root for root in _ROOTS if self.file.startswith(root))
        dotted = self.file.removeprefix(root).removesuffix(".py").replace("/", ".")
        return dotted.removesuffix(".__init__")

    def planted_in(self, text: str) -> str:
        """The file's text with the bug in it.

        Raises:
            ListMistake: `old` is not there exactly once, or the result is no Python.
        """
        found = text.count(self.old)
        if found != 1:
            raise ListMistake(f"{self.name}: `old` is {found} times in {self.file}, not once")
        mutated = text.replace(self.old, self.new)
        try:
            compile(mutated, self.file, "exec")
        except SyntaxError as error:
            raise ListMistake(f"{self.name}: {error}") from error
        return mutated


@dataclass(frozen=True, slots=True)
class MutantList:
    """The mutants of one file, under one heading."""

    title: str
    mutants: tuple[Mutant, ...]


def all_lists(folder: Path = LISTS) -> tuple[MutantList, ...]:
    """Every list of the folder, by file name.

    Raises:
        ListMistake: a list is not what run.py describes.
    """
    lists = tuple(_list_in(path) for path in sorted(folder.glob("*.toml")))
    names = [mutant.name for each in lists for mutant in each.mutants]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ListMistake(f"these names stand twice: {', '.join(sorted(twice))}")
    return lists


def _list_in(path: Path) -> MutantList:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ListMistake(f"{path.name}: {error}") from error
    if unknown := set(content) - {"title", "mutant"}:
        raise ListMistake(f"{path.name}: nobody reads {', '.join(sorted(unknown))}")
    title = content.get("title", path.stem)
    return MutantList(title, tuple(_mutant(row, path.name) for row in content.get("mutant", [])))


def _mutant(row: dict[str, Any], list_name: str) -> Mutant:
    where = f"{list_name}, {row.get('name', 'a mutant without a name')}"
    for field, kind in (_ASKED_FOR | _OPTIONAL).items():
        if (field in row or field in _ASKED_FOR) and not isinstance(row.get(field), kind):
            raise ListMistake(f"{where}: `{field}` must be a {kind.__name__}")
    if unknown := set(row) - set(_ASKED_FOR) - set(_OPTIONAL):
        raise ListMistake(f"{where}: nobody reads {', '.join(sorted(unknown))}")
    lists = {field: tuple(row.get(field, ())) for field in ("killed_by", "explorer")}
    mutant = Mutant(**(row | lists))
    if problem := _problem(mutant):
        raise ListMistake(f"{where}: {problem}")
    return mutant


def _problem(mutant: Mutant) -> str | None:
    if not _NAME.fullmatch(mutant.name):
        return "a name is small letters and digits, joined by dashes"
    if not (mutant.killed_by or mutant.explorer or mutant.simulator):
        return "nobody is named who should find it"
    if not mutant.file.startswith(_ROOTS) or not mutant.file.endswith(".py"):
        return "`file` must be a Python file below src"
    if mutant.old == mutant.new:
        return "`new` is the same as `old`"
    if strange := [test for test in mutant.killed_by if not _TEST.fullmatch(test)]:
        return f"not the id of a test: {strange[0]}"
    if strange := [asked for asked in mutant.explorer if not _EXPLORED.fullmatch(asked)]:
        return f"not `SCENARIO --faults N`: {strange[0]}"
    return None
