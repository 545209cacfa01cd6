"""What a start loads is counted, because each package that nobody needs is time that all wait."""

import json
import subprocess
import sys

import pytest

_LOAD_AND_TELL = """
import importlib, json, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

_NOT_FOR_SERVING = {
    # Every provider's SDK: loaded by the gateway that is switched on.
    "paypalrestsdk",
    "square",
    "stripe",
    # Schema changes, which happen once a version.
    "alembic",
    "mako",
    # An HTTP client, and the command line that it brings along.
    "click",
    "httpx",
    "pygments",
    "rich",
    # Redis, and what only tests need.
    "hypothesis",
    "pytest",
    "redis",
}


def _loaded(*modules: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-c", _LOAD_AND_TELL, *modules],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(json.loads(told.stdout))


@pytest.mark.parametrize("command", ["one_process", "many_processes", "worker_command"])
def test_serving_loads_nothing_that_only_other_settings_or_commands_need(command: str) -> None:
    loaded = _loaded(f"order_cli.{command}", "order_sqlalchemy.postgresql_store")

    assert "order_wiring" in loaded
    assert loaded & _NOT_FOR_SERVING == set()


def test_the_help_loads_no_third_party_package() -> None:
    strangers = {
        name
        for name in _loaded("order_cli.main") - _loaded()
        if name not in sys.stdlib_module_names
    }

    assert strangers == {"order_cli"}


def test_what_must_not_be_loaded_would_be_noticed() -> None:
    assert _loaded("order_sqlalchemy.migrations.beside_traffic") & _NOT_FOR_SERVING
