"""Write the table of mutants for people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.mutants.killing import Verdict
from tools.mutants.mutant import ROOT, ListMistake, Mutant, MutantList

TARGET: Final = ROOT / "docs" / "mutants.md"

_HEAD: Final = """# Planted bugs

A proof that never finds anything proves nothing. Each row is a bug that a reasonable
programmer might write, planted alone into a copy of the code, and found: by a test, by the
explorer, by the simulator. `make mutants` plants them all again, and fails if one survives, if a
killer is red without it, or if a mutant goes red for another reason than what it does. Written
by `tools/mutants/run.py --write-docs`; the seconds are those of the quickest finder.
"""
_COLUMNS: Final = """
| mutant | the bug | what it breaks | found by | s |
|---|---|---|---|---:|
"""
_BAR: Final = " | "
_KINDS: Final = ("test", "explorer", "simulator")


@dataclass(frozen=True, slots=True)
class Found:
    """Who found a mutant, in words, and how many seconds the quickest took."""

    by: tuple[str, ...]
    seconds: str


def found(verdict: Verdict) -> Found:
    """The last cells of a row."""
    quickest = min(kill.seconds for kill in verdict.kills)
    return Found(tuple(dict.fromkeys(_finders(verdict))), f"{quickest:.1f}")


def rows_in(page: str) -> dict[str, Found]:
    """The mutants that a page shows, by name, in its order."""
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    return {row.split("`")[1]: _found_in(row) for row in rows}


def page(lists: Sequence[MutantList], known: Mapping[str, Found]) -> str:
    """The whole page.

    Raises:
        ListMistake: a mutant was never found.
    """
    mutants = [mutant for each in lists for mutant in each.mutants]
    if unknown := [mutant.name for mutant in mutants if mutant.name not in known]:
        raise ListMistake(f"not found yet, so nothing is written: {', '.join(unknown)}")
    parts = [_HEAD, f"\n{len(mutants)} mutants: {_counts(known[m.name] for m in mutants)}.\n"]
    for each in lists:
        parts.append(f"\n## {each.title}\n{_COLUMNS}")
        parts.extend(_row(mutant, known[mutant.name]) for mutant in each.mutants)
    return "".join(parts)


def _row(mutant: Mutant, found: Found) -> str:
    cells = (mutant.says, mutant.breaks, "; ".join(found.by))
    shown = _BAR.join(cell.replace("|", "\\|") for cell in cells)
    return f"| `{mutant.name}` | {shown} | {found.seconds} |\n"


def _found_in(row: str) -> Found:
    *_, by, seconds = row.removesuffix(" |").split(_BAR)
    return Found(tuple(by.split("; ")), seconds)


def _counts(all_found: Iterable[Found]) -> str:
    kinds = [{by.partition(" ")[0].rstrip(":") for by in found.by} for found in all_found]
    counts = {kind: sum(kind in finders for finders in kinds) for kind in _KINDS}
    return ", ".join(f"{counts[kind]} found by the {kind}" for kind in _KINDS if counts[kind])


def _finders(verdict: Verdict) -> Iterable[str]:
    for kill in verdict.kills:
        if kill.kind == "suite":
            name = kill.by.rpartition("::")[2].partition("[")[0]
            yield f"test: {name.removeprefix('test_').replace('_', ' ')}"
        else:
            yield f"{kill.kind}: {kill.by}" if kill.by else kill.kind
