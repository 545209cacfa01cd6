"""The import rules hold, and each of them can fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Our code, to be broken."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(copy: Path, contract: str) -> subprocess.CompletedProcess[str]:
    roots = (copy / "src", copy / "src" / "adapters", copy / "src" / "entrypoints")
    return subprocess.run(
        [
            Path(sys.executable).with_name("lint-imports"),
            "--no-cache",
            f"--contract={contract}",
        ],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))},
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )


@pytest.mark.parametrize("contract", ["core-alone", "adapters-apart", "arrows-inward"])
def test_our_code_keeps_the_rule(copy: Path, contract: str) -> None:
    linted = lint(copy, contract)

    assert "1 kept, 0 broken" in linted.stdout, linted.stdout + linted.stderr
    assert linted.returncode == 0


@pytest.mark.parametrize(
    ("contract", "module", "forbidden"),
    [
        ("core-alone", "src/order_core/broken.py", "order_memory"),
        ("core-alone", "src/order_core/broken.py", "order_http"),
        ("core-alone", "src/order_core/broken.py", "sqlalchemy.orm"),
        ("core-alone", "src/order_core/broken.py", "asyncio"),
        ("adapters-apart", "src/adapters/order_email/broken.py", "order_sqlalchemy"),
        ("arrows-inward", "src/adapters/order_jwt/broken.py", "order_wiring"),
        ("arrows-inward", "src/order_core/broken.py", "order_system"),
    ],
)
def test_a_forbidden_import_is_found(
    copy: Path, contract: str, module: str, forbidden: str
) -> None:
    # Inside a function, where the code would run for weeks before the import does.
    (copy / module).write_text(f"def late() -> None:\n    import {forbidden}\n")

    linted = lint(copy, contract)

    assert "0 kept, 1 broken" in linted.stdout, linted.stdout + linted.stderr
    assert f"{Path(module).parent.name}.broken -> {forbidden.partition('.')[0]}" in linted.stdout
    assert linted.returncode == 1
