"""Importing the core is cheap, and brings nothing but the core."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

import order_core

CORE = Path(str(order_core.__file__)).parent
IMPORT_SECONDS = 0.050
EVENT_LOOPS = {"anyio", "asyncio"}

_IMPORT_AND_TELL = """
import json, sys, time
before = set(sys.modules)
started = time.perf_counter()
import order_core
seconds = time.perf_counter() - started
if "every module" in sys.argv:
    import pkgutil
    for module in pkgutil.walk_packages(order_core.__path__, "order_core."):
        __import__(module.name)
print(json.dumps({"seconds": seconds, "brought": sorted(set(sys.modules) - before)}))
"""


def _import_order_core(*how: str) -> dict[str, Any]:
    told = subprocess.run(
        [sys.executable, "-I", "-c", _IMPORT_AND_TELL, *how],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def _strangers(modules: set[str]) -> set[str]:
    roots = {module.partition(".")[0] for module in modules}
    return roots - sys.stdlib_module_names - {"order_core"} | roots & EVENT_LOOPS


def test_the_core_and_all_its_modules_bring_nothing_but_the_standard_library() -> None:
    brought = set(_import_order_core("every module")["brought"])

    assert "order_core.money" in brought
    assert _strangers(brought) == set()


def test_nothing_is_left_to_be_imported_later() -> None:
    imported = set()
    for file in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add("order_core" if node.level else str(node.module))

    assert _strangers(imported) == set()


@pytest.mark.parametrize("module", ["pydantic", "asyncio", "anyio.abc", "sqlalchemy.orm"])
def test_a_stranger_would_be_noticed(module: str) -> None:
    assert _strangers({"order_core.money", "decimal", module}) == {module.partition(".")[0]}


def test_importing_the_core_takes_less_than_a_blink() -> None:
    _import_order_core()  # Compiles what has changed since the last time.

    seconds = [_import_order_core()["seconds"] for _ in range(7)]

    assert median(seconds) < IMPORT_SECONDS, f"took {seconds}"
