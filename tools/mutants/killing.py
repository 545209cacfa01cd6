"""Plant one mutant in a scratch copy, and let its killers loose on it."""

import compileall
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.mutants.mutant import ROOT, ListMistake, Mutant
from tools.mutants.witness import SCRATCH, TESTIMONY

LONGEST_SECONDS: Final = 60.0
"""Beyond this a killer is ended, and has found nothing."""

LONGEST_GREEN_SECONDS: Final = 600.0
"""For all killers together, on the code as it is."""

_PYTHON: Final = sys.executable
# Named instead of found: looking for plugins takes longer than most killers.
_PYTEST: Final = (
    *("-m", "pytest", "-q", "-x", "--timeout=0", "--no-header", "--tb=no"),
    *("-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout"),
    *("-p", "_hypothesis_pytestplugin", "--hypothesis-profile=ci", "-p", "tools.mutants.witness"),
)
_WITNESSED: Final = ("-m", "tools.mutants.witness")
_SIMULATION: Final = (
    *("order_cli.main", "simulate", "--seed", "7", "--orders", "5000", "--processes", "1"),
)
# A test that went red like this noticed what the mutant does, not that it does not run.
_RIGHT_REASONS: Final = frozenset({"AssertionError", "Failed", "OrderCoreError"})
# A statement that a real database does not understand looks like a database that is away.
_NO_REASON: Final = ("tests/integration/test_sqlalchemy_contract.py", "StoreUnavailable")
# Read by its path, and so never in `sys.modules`.
_NEVER_IMPORTED: Final = "/migrations/versions/"


@dataclass(frozen=True, slots=True)
class Killer:
    """A command that is green on good code."""

    kind: str
    names: tuple[str, ...]

    @property
    def command(self) -> tuple[str, ...]:
        if self.kind == "suite":
            return (_PYTHON, *_PYTEST, *self.names)
        if self.kind == "explorer":
            return (_PYTHON, *_WITNESSED, "order_explorer", *self.names)
        return (_PYTHON, *_WITNESSED, *_SIMULATION)


@dataclass(frozen=True, slots=True)
class Kill:
    """Who found a mutant, and how."""

    kind: str
    by: str
    because: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant."""

    mutant: Mutant
    kills: tuple[Kill, ...]
    seconds: float
    mistake: str | None = None
    missed: tuple[str, ...] = ()
    """Kinds of killers that ran, and of which none found it."""

    @property
    def survived(self) -> bool:
        return bool(self.missed) and self.mistake is None


def killers_of(mutant: Mutant, *, every: bool) -> tuple[Killer, ...]:
    """The killers to run: all of them, or the first kind alone, which is the quickest."""
    killers = (
        *((Killer("suite", mutant.killed_by),) if mutant.killed_by else ()),
        *(Killer("explorer", tuple(asked.split())) for asked in mutant.explorer),
        *((Killer("simulator", ()),) if mutant.simulator else ()),
    )
    return killers if every else tuple(k for k in killers if k.kind == killers[0].kind)


def snapshot(folder: Path) -> Path:
    """A compiled copy of the code as it is now, so that edits meanwhile disturb no run."""
    ignored = shutil.ignore_patterns("__pycache__")
    copy = shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    # Once, and not in each run of each killer.
    compileall.compile_dir(copy, quiet=2)
    return Path(copy)


def green(original: Path, killers: Sequence[Killer]) -> str | None:
    """Why the killers prove nothing: one is red on the code as it is. None if all are green."""
    tests = sorted({name for k in killers if k.kind == "suite" for name in k.names})
    others = {(k.kind, k.names) for k in killers if k.kind != "suite"}
    suite = [Killer("suite", tuple(tests))] if tests else []
    for killer in [*suite, *(Killer(*other) for other in sorted(others))]:
        run = _run(killer, original, LONGEST_GREEN_SECONDS)
        if run.status != 0:
            return f"red without any mutant: {run.told or 'it took too long'}"
        if strays := run.strays(original):
            return f"not tested from the copy: {strays}"
    return None


def tried(mutant: Mutant, original: Path, *, every: bool) -> Verdict:
    """Plant the mutant in a copy of its own, and see who finds it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"mutant-{mutant.name}-") as folder:
        scratch = Path(folder) / "src"
        # Links, so that the compiled files of all other modules come along.
        shutil.copytree(original, scratch, copy_function=os.link)
        target = scratch.parent / mutant.file
        try:
            mutated = mutant.planted_in(target.read_text(encoding="utf-8"))
            target.unlink()
            target.write_text(mutated, encoding="utf-8")
            for compiled in target.parent.glob(f"__pycache__/{target.stem}.*"):
                compiled.unlink()
            killers = killers_of(mutant, every=every)
            kills = [kill for killer in killers if (kill := _kill(mutant, killer, scratch))]
        except ListMistake as mistake:
            return Verdict(mutant, (), time.monotonic() - began, str(mistake))
    missed = dict.fromkeys(killer.kind for killer in killers)
    for kill in kills:
        missed.pop(kill.kind, None)
    return Verdict(mutant, tuple(kills), time.monotonic() - began, missed=tuple(missed))


def _kill(mutant: Mutant, killer: Killer, scratch: Path) -> Kill | None:
    run = _run(killer, scratch, LONGEST_SECONDS)
    if run.status in {0, None}:
        return None
    if strays := run.strays(scratch):
        raise ListMistake(f"not tested from the copy: {strays}")
    if mutant.module not in run.origins and _NEVER_IMPORTED not in mutant.file:
        raise ListMistake(f"{killer.kind} never imports {mutant.module}: {run.told[-300:]}")
    if killer.kind != "suite":
        if run.status != 1 or "Traceback" in run.told:
            raise ListMistake(f"{killer.kind} broke down: {run.told[-500:]}")
        return Kill(killer.kind, " ".join(killer.names), "a violation", run.seconds)
    if not run.failures:
        raise ListMistake(f"pytest ended with {run.status}: {run.told[-300:]}")
    failure = run.failures[0]
    if failure["when"] != "call" or not _is_right_reason(failure):
        shown = f"{failure['types'][:1]} at {failure['when']} of {failure['where']}"
        raise ListMistake(f"red for the wrong reason, {shown}: {failure['message']}")
    return Kill("suite", failure["where"], failure["types"][0], run.seconds)


def _is_right_reason(failure: dict[str, Any]) -> bool:
    kinds = frozenset(failure["types"])
    tests, kind = _NO_REASON
    if kind in kinds and failure["where"].startswith(tests):
        return False
    return bool(kinds & _RIGHT_REASONS)


@dataclass(frozen=True, slots=True)
class _Run:
    status: int | None
    told: str
    seconds: float
    failures: list[dict[str, Any]]
    origins: dict[str, str]

    def strays(self, scratch: Path) -> str:
        """Modules of ours that did not come from the copy."""
        home = scratch.resolve()
        away = {n: o for n, o in self.origins.items() if not Path(o).is_relative_to(home)}
        return ", ".join(f"{name} from {origin}" for name, origin in sorted(away.items())[:3])


def _run(killer: Killer, scratch: Path, longest_seconds: float) -> _Run:
    testimony = scratch.parent / f"{killer.kind}.json"
    roots = (scratch, scratch / "adapters", scratch / "entrypoints", ROOT)
    # In front of what the editable install put there.
    settings = {
        "PYTHONPATH": os.pathsep.join(map(str, roots)),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        SCRATCH: str(scratch),
        TESTIMONY: str(testimony),
    }
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - the commands are those above
        killer.command,
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            told, _ = process.communicate(timeout=longest_seconds)
            status: int | None = process.returncode
        except subprocess.TimeoutExpired:
            status, told = None, ""
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    said = json.loads(testimony.read_text(encoding="utf-8")) if testimony.exists() else {}
    return _Run(
        status,
        told.strip(),
        time.monotonic() - began,
        said.get("failures", []),
        said.get("origins", {}),
    )
