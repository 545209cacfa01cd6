"""Run the named checks in the order given, and say at the end what they covered.

    tools/run_checks.py lint wheel tests explore+mutants chaos

Names joined with `+` run at the same time. A check that fails does not stop the ones after it,
so that one run shows all there is to mend; only without a wheel there is nothing to test.

The tools are those of the environment whose Python runs this. `wheel`, and all that is tested
with `tests`, is always .venv-wheel, which never sees src.
"""

import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent
WHEEL = ROOT / ".venv-wheel" / "bin"
AUDIT = ROOT / ".venv-audit" / "bin"
BUILT = ROOT / "build" / "wheel"
SOURCES = os.pathsep.join(str(ROOT / "src" / each) for each in ("", "adapters", "entrypoints"))

# Long checks look like dead ones if they say nothing for longer than this.
QUIET_SECONDS = 15

TESTS = ("-m", "pytest", "--quiet", "--hypothesis-profile=ci")
# Four, because every worker that needs PostgreSQL starts one of its own. Tests that share
# something slow are a group, and groups stay together.
PARALLEL = ("--numprocesses=auto", "--maxprocesses=4", "--dist=loadgroup")


@dataclass(frozen=True)
class Check:
    """One command, and in words what it proves.

    Of what it prints, the last line that starts with `tells` goes into the summary.
    """

    proves: str
    command: Callable[[], list[str | Path]]
    settings: dict[str, str] = field(default_factory=dict)
    tells: str | tuple[str, ...] = ""
    folder: Path = ROOT
    needed: bool = False
    """Whether all that comes after it would prove nothing without it."""


@dataclass(frozen=True)
class Result:
    """How a check went, and the line it told about that."""

    check: Check
    passed: bool
    seconds: float
    told: str


def _chaos() -> list[str | Path]:
    """As CHAOS_SECONDS, CHAOS_SEED and CHAOS_DATABASE say; what they leave open, it chooses."""
    command: list[str | Path] = [TOOLS / "python", "-u", "-m", "tests.chaos"]
    for name in ("seconds", "seed", "database"):
        if chosen := os.environ.get(f"CHAOS_{name.upper()}"):
            command += [f"--{name}", chosen]
    return command


CHECKS: dict[str, tuple[Check, ...]] = {
    "lint": (
        Check(
            "every rule of ruff but those excused",
            lambda: [TOOLS / "ruff", "check"],
            tells=("All", "Found"),
        ),
        Check("one layout for all code", lambda: [TOOLS / "ruff", "format", "--check"]),
        Check(
            "entrypoints know adapters, adapters know the core, never back",
            lambda: [TOOLS / "lint-imports"],
            # Before an installed wheel, which may be an old one.
            {"PYTHONPATH": SOURCES},
        ),
    ),
    # Apart from `lint`, because it takes a minute on one core, which others may share.
    "types": (Check("types, strictly, in code, tests and tools", lambda: [TOOLS / "mypy"]),),
    "unit": (
        Check(
            "domain and use cases on the adapters in memory, without network or disk",
            lambda: [TOOLS / "python", *TESTS, *PARALLEL, "tests/unit"],
        ),
    ),
    "wheel": (
        Check(
            "a source archive, and the wheel built from it alone",
            lambda: [TOOLS / "python", "-m", "build", "--no-isolation", f"--outdir={BUILT}"],
            needed=True,
        ),
        Check(
            "the wheel installs into an environment that has never seen src",
            lambda: [
                *(WHEEL / "python", "-m", "pip", "--disable-pip-version-check", "install"),
                *("--quiet", "--no-index", "--no-deps", "--force-reinstall"),
                *BUILT.glob("*.whl"),
            ],
            needed=True,
        ),
    ),
    "tests": (
        Check(
            "the installed wheel: domain and use cases in memory, the adapters and the service "
            "on SQLite and on a real PostgreSQL",
            lambda: [
                *(WHEEL / "python", *TESTS, *PARALLEL),
                # Those that take long begin first, so that none is left for the end.
                *("tests/integration", "tests/unit"),
            ],
            {"TESTED_AS": "wheel"},
        ),
    ),
    # Apart from `tests`, which it would make slower by a third.
    "coverage": (
        Check(
            "the tests again, watched",
            lambda: [
                *(TOOLS / "python", *TESTS, *PARALLEL, "--cov", "--cov-report="),
                *("tests/integration", "tests/unit"),
            ],
        ),
        Check(
            "how much of the code those tests ran in their own process",
            lambda: [
                *(TOOLS / "coverage", "report", "--sort=cover"),
            ],
            tells="TOTAL",
        ),
    ),
    "attack": (
        Check(
            "hostile connections, at the size of real attacks, keep nobody out and memory within "
            "bounds; no signature can be guessed by the clock",
            lambda: [
                *(TOOLS / "python", *TESTS),
                *("tests/integration/test_service_attacks.py",),
                *("tests/integration/test_service_tls.py", "tests/unit/test_constant_time.py"),
            ],
            {"ATTACK_SIZE": "full"},
        ),
    ),
    "audit": (
        Check(
            "no vulnerability is known of anything that the locks pin",
            lambda: [AUDIT / "python", "-u", "tools/audit/vulnerabilities.py"],
            tells="Of",
        ),
        Check(
            "every package has a licence that was agreed to",
            lambda: [
                *(AUDIT / "python", "-u", "tools/audit/licences.py"),
                *(TOOLS / "python", AUDIT / "python"),
            ],
            tells="Of",
        ),
        Check(
            "nothing that git keeps looks like a secret",
            lambda: [AUDIT / "python", "-u", "tools/audit/leaked_secrets.py"],
            tells="Of",
        ),
    ),
    "explore": (
        Check(
            "in every order of turns, with every combination of two faults, orders and money agree",
            lambda: [TOOLS / "python", "-u", "-m", "order_explorer"],
            tells=tuple("123456789"),
        ),
    ),
    "explore-quick": (
        Check(
            "in every order of turns, with every combination of two faults (one in the large "
            "scenarios), orders and money agree",
            lambda: [TOOLS / "python", "-u", "-m", "order_explorer", "--quick"],
            tells=tuple("123456789"),
        ),
    ),
    "explore-deep": (
        Check(
            "the same with every combination of three faults",
            lambda: [TOOLS / "python", "-u", "-m", "order_explorer", "--faults", "3"],
        ),
    ),
    "mutants": (
        Check(
            "every bug that is planted on purpose is found",
            lambda: [TOOLS / "python", "-u", "tools/mutants/run.py"],
        ),
    ),
    # After `tests`, which has run their killers on the code as it is.
    "mutants-after-tests": (
        Check(
            "every bug that is planted on purpose is found",
            lambda: [TOOLS / "python", "-u", "tools/mutants/run.py", "--green"],
        ),
    ),
    "chaos": (
        Check(
            "processes, connections and the provider fail under load, "
            "and the books agree afterwards",
            _chaos,
        ),
    ),
    "chaos-sqlite": (
        Check(
            "the same on SQLite, where one process does everything and is killed again and again",
            lambda: [
                *(TOOLS / "python", "-u", "-m", "tests.chaos"),
                *("--database", "sqlite", "--seconds", "30", "--seed", "8"),
            ],
        ),
    ),
}


def run(check: Check, mark: str = " ") -> Result:
    """Run one check; its output passes through as it comes, each line behind `mark`."""
    command = [str(part) for part in check.command()]
    program = Path(command[0])
    shown = " ".join([str(program.relative_to(ROOT)), *command[1:]]).replace(f"{ROOT}/", "")
    print(f"\n\N{BLACK RIGHT-POINTING SMALL TRIANGLE} {check.proves}\n  $ {shown}", flush=True)
    started = time.monotonic()
    told = ""
    with subprocess.Popen(  # noqa: S603 - the commands are those above
        command,
        cwd=check.folder,
        env=os.environ | check.settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        while (line := _next(lines)) is not None:
            said = line or f"... {time.monotonic() - started:.0f} s so far\n"
            print(f"{mark} {said}", end="", flush=True)
            if line.strip() and line.startswith(check.tells):
                told = " ".join(line.split())
    return Result(check, process.returncode == 0, time.monotonic() - started, told)


def _read(process: subprocess.Popen[str], lines: "queue.SimpleQueue[str | None]") -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)


def _next(lines: "queue.SimpleQueue[str | None]") -> str | None:
    """The next line; empty if nothing was said for long; None after the last."""
    try:
        return lines.get(timeout=QUIET_SECONDS)
    except queue.Empty:
        return ""


def run_group(name: str, mark: str = " ") -> list[Result]:
    """Run the checks of one group, one after the other."""
    results: list[Result] = []
    for check in CHECKS[name]:
        results.append(run(check, mark))
        if check.needed and not results[-1].passed:
            break
    return results


def run_together(names: list[str]) -> list[Result]:
    """Run these groups at the same time; the lines of each begin with its name."""
    if len(names) == 1:
        return run_group(names[0])
    width = max(map(len, names))
    with ThreadPoolExecutor(len(names)) as pool:
        running = [pool.submit(run_group, name, f"  {name:{width}} |") for name in names]
        return [result for group in running for result in group.result()]


def main(arguments: list[str]) -> int:
    """Answer with the exit status: 0 if every check has passed, else 1."""
    steps = [argument.split("+") for argument in arguments]
    if not steps or (unknown := {name for names in steps for name in names} - set(CHECKS)):
        print(f"Name some of: {' '.join(CHECKS)}; not: {' '.join(unknown)}" if steps else __doc__)
        return 2
    if ["wheel"] in steps:
        shutil.rmtree(BUILT, ignore_errors=True)

    started = time.monotonic()
    results: list[Result] = []
    missing = False
    for names in steps:
        if missing:
            break
        done = run_together(names)
        results += done
        missing = any(result.check.needed and not result.passed for result in done)

    print("\nCovered:")
    for result in results:
        mark = "ok    " if result.passed else "FAILED"
        print(f"  {mark} {result.seconds:6.1f} s  {result.check.proves}")
        if result.told:
            print(f"{'':19}{result.told}")
    if missing:
        print("  Without this, the rest would prove nothing, and was not run.")
    failed = sum(not result.passed for result in results)
    seconds = time.monotonic() - started
    print(f"  {len(results) - failed} of {len(results)} checks passed, in {seconds:.0f} s.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
