"""The guide for a payment provider of one's own, followed to the letter."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.service_process import SECRET, environment, run_command

GUIDE = Path(__file__).parents[2] / "docs" / "new-provider.md"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The files of the guide, and the entry point as an installer writes it."""
    text = GUIDE.read_text(encoding="utf-8")
    for name, source in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", text, flags=re.DOTALL):
        (tmp_path / name).write_text(source, encoding="utf-8")
    announcement = re.search(
        r'```toml\n\[project\.entry-points\."(.+?)"\]\n(\w+) = "(.+?)"\n```', text
    )
    assert announcement
    group, name, target = announcement.groups()
    about = tmp_path / "acorn_payments-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acorn-payments\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
    return tmp_path


@pytest.fixture
def _installed(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.mark.usefixtures("_installed")
def test_the_gateway_of_the_guide_keeps_the_contract(package: Path) -> None:
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-o", "asyncio_mode=auto", "--rootdir", str(package), "test_acorn.py"),
        ],
        cwd=package,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert finished.returncode == 0, finished.stdout
    passed = re.search(r"(\d+) passed", finished.stdout)
    assert passed
    assert int(passed[1]) >= 20


@pytest.mark.usefixtures("_installed")
def test_the_plugin_of_the_guide_is_found_and_its_secrets_are_masked(tmp_path: Path) -> None:
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'orders.sqlite3'}",
        "JWT_SECRET": SECRET,
        "PRICES": "trust",
        "ACORN_KEY": "oak_51H8",
    }
    asked = run_command("check", **settings)
    told = run_command("check", ACORN_WEBHOOK_SECRET="forest", **settings)
    wrong = run_command("check", **{**settings, "ACORN_KEY": "elm", "ACORN_KEI": "oak"})

    assert asked.returncode == 0, asked.stderr
    assert re.search(r"^ORDER_CORE_ACORN_KEY +\*+$", asked.stdout, re.MULTILINE)
    assert "oak_51H8" not in asked.stdout
    assert "Gateway acorn, account acorn: " in asked.stdout
    assert "it tells nothing by itself here, so it is asked" in asked.stdout
    assert "its events are received at /api/webhooks/acorn" in told.stdout
    assert "forest" not in told.stdout
    assert wrong.returncode == 1
    assert "ORDER_CORE_ACORN_KEI: is no setting of Acorn Pay" in wrong.stderr
    assert "ORDER_CORE_ACORN_KEY: must be like oak_..." in wrong.stderr
