"""Run the named checks in the order given, and say at the end what they covered.

    tools/run_checks.py lint unit integration coverage wheel

A check that fails does not stop the ones after it, so that one run shows all there is to mend.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEV = ROOT / ".venv" / "bin"
WHEEL = ROOT / ".venv-wheel" / "bin"
BUILT = ROOT / "build" / "wheel"

# Four, because every worker that needs PostgreSQL starts one of its own.
PARALLEL = ("--numprocesses=auto", "--maxprocesses=4")
TESTS = ("-m", "pytest", "--quiet", "--hypothesis-profile=ci")
COVERED = ("--cov", "--cov-report=")


@dataclass(frozen=True)
class Check:
    """One command, and in words what it proves.

    Of what it prints, the last line that starts with `tells` goes into the summary.
    """

    proves: str
    command: Callable[[], list[str | Path]]
    settings: dict[str, str] = field(default_factory=dict)
    tells: str | tuple[str, ...] = ""


@dataclass(frozen=True)
class Result:
    """How a check went, and the line it told about that."""

    check: Check
    passed: bool
    seconds: float
    told: str


CHECKS: dict[str, tuple[Check, ...]] = {
    "lint": (
        Check(
            "every rule of ruff but those excused",
            lambda: [DEV / "ruff", "check"],
            tells=("All", "Found"),
        ),
        Check("one layout for all code", lambda: [DEV / "ruff", "format", "--check"]),
        Check(
            "entrypoints know adapters, adapters know the core, never back",
            lambda: [DEV / "lint-imports"],
        ),
        Check("types, strictly, in code, tests and tools", lambda: [DEV / "mypy"]),
    ),
    "unit": (
        Check(
            "domain and use cases on the adapters in memory, without network or disk",
            lambda: [DEV / "python", *TESTS, *COVERED, "tests/unit"],
        ),
    ),
    "integration": (
        Check(
            "the adapters and the service on SQLite and on a real PostgreSQL",
            lambda: [
                DEV / "python",
                *TESTS,
                *PARALLEL,
                *COVERED,
                "--cov-append",
                "tests/integration",
            ],
        ),
    ),
    "coverage": (
        Check(
            "how much of the code those tests ran in their own process",
            lambda: [DEV / "coverage", "report", "--sort=cover"],
            tells="TOTAL",
        ),
    ),
    "wheel": (
        Check(
            "a source archive, and the wheel built from it alone",
            lambda: [DEV / "python", "-m", "build", "--no-isolation", f"--outdir={BUILT}"],
        ),
        Check(
            "the wheel installs into an environment that has never seen src",
            lambda: [
                *(WHEEL / "python", "-m", "pip", "--disable-pip-version-check", "install"),
                *("--quiet", "--no-index", "--no-deps", "--force-reinstall"),
                *BUILT.glob("*.whl"),
            ],
        ),
        Check(
            "the whole test suite once more, against the installed wheel",
            lambda: [WHEEL / "python", *TESTS, *PARALLEL, "tests"],
            {"ORDER_CORE_TESTED": "wheel"},
        ),
    ),
}


def run(check: Check) -> Result:
    """Run one check; its output passes through as it comes."""
    command = [str(part) for part in check.command()]
    program = Path(command[0])
    shown = " ".join([str(program.relative_to(ROOT)), *command[1:]]).replace(f"{ROOT}/", "")
    print(f"\n\N{BLACK RIGHT-POINTING SMALL TRIANGLE} {check.proves}\n  $ {shown}", flush=True)
    started = time.monotonic()
    told = ""
    with subprocess.Popen(  # noqa: S603 - the commands are those above
        command,
        cwd=ROOT,
        env=os.environ | check.settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            print(f"  {line}", end="", flush=True)
            if line.strip() and line.startswith(check.tells):
                told = " ".join(line.split())
    return Result(check, process.returncode == 0, time.monotonic() - started, told)


def main(names: list[str]) -> int:
    """Answer with the exit status: 0 if every check has passed, else 1."""
    if not names or (unknown := set(names) - set(CHECKS)):
        print(f"Name some of: {' '.join(CHECKS)}; not: {' '.join(unknown)}" if names else __doc__)
        return 2
    if "wheel" in names:
        shutil.rmtree(BUILT, ignore_errors=True)

    results = [run(check) for name in names for check in CHECKS[name]]

    print("\nCovered:")
    for result in results:
        mark = "ok    " if result.passed else "FAILED"
        print(f"  {mark} {result.seconds:6.1f} s  {result.check.proves}")
        if result.told:
            print(f"{'':19}{result.told}")
    failed = sum(not result.passed for result in results)
    seconds = sum(result.seconds for result in results)
    print(f"  {len(results) - failed} of {len(results)} checks passed, in {seconds:.0f} s.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
