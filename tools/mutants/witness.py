"""Runs beside a killer, in its process, and writes down what really happened there.

Two things cannot be told from an exit status: whether the code under test came from the
scratch copy, and whether a test failed because of what it asserts or because the mutant
stumbled over its own text. Loaded as a plugin of pytest, or by `python -m` in front of the
name of another module that it then runs.
"""

import atexit
import json
import os
import runpy
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

SCRATCH = "MUTANTS_SCRATCH"
TESTIMONY = "MUTANTS_TESTIMONY"

_FAILURES: list[dict[str, Any]] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember what a test raised."""
    report = yield
    if report.failed and call.excinfo is not None:
        _FAILURES.append(
            {
                "where": item.nodeid,
                "when": report.when,
                "types": [kind.__name__ for kind in call.excinfo.type.__mro__],
                "message": str(call.excinfo.value)[:500],
            }
        )
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember a test file that cannot be read."""
    if report.failed:
        message = str(report.longrepr)[-500:]
        _FAILURES.append(
            {"where": report.nodeid, "when": "collect", "types": [], "message": message}
        )


def pytest_sessionfinish() -> None:
    """The tests are over."""
    testify()


def testify() -> None:
    """Write down the failures, and where our packages were imported from."""
    origins = {
        name: str(Path(module.__file__).resolve())
        for name, module in list(sys.modules.items())
        if name.startswith("order_") and module.__file__
    }
    testimony = {"failures": _FAILURES, "origins": origins}
    Path(os.environ[TESTIMONY]).write_text(json.dumps(testimony), encoding="utf-8")


if __name__ == "__main__":
    witnessed = os.getpid()
    # A killer may fork processes of its own; only the first one testifies.
    atexit.register(lambda: testify() if os.getpid() == witnessed else None)
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
