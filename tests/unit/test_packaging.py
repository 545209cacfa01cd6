"""What pyproject.toml says of the packages is what lies on disk, and what is installed."""

import os
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
CONTAINERS = (SRC, SRC / "adapters", SRC / "entrypoints")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
SOURCES: dict[str, str] = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["sources"]
PACKAGES = sorted(SOURCES.values())


def _contract(name: str) -> dict[str, Any]:
    contracts: list[dict[str, Any]] = PYPROJECT["tool"]["importlinter"]["contracts"]
    return next(contract for contract in contracts if contract["id"] == name)


def _packages_in(container: str) -> list[str]:
    return sorted(name for folder, name in SOURCES.items() if folder.startswith(f"src/{container}"))


def test_the_wheel_ships_every_package_on_disk_under_its_own_name() -> None:
    on_disk = {
        folder.relative_to(ROOT).as_posix(): folder.name
        for container in CONTAINERS
        for folder in container.iterdir()
        if folder.is_dir() and folder not in CONTAINERS and folder.name != "__pycache__"
    }

    assert on_disk == SOURCES


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda path: path.name)
def test_a_container_is_a_folder_and_not_a_package(container: Path) -> None:
    assert [file.name for file in container.glob("*.py")] == []


@pytest.mark.parametrize("folder", SOURCES)
def test_a_package_tells_type_checkers_that_it_is_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()


@pytest.mark.parametrize("folder", SOURCES)
def test_no_folder_of_modules_lacks_its_init(folder: str) -> None:
    modules = (ROOT / folder).rglob("*.py")

    assert {file.parent for file in modules if not (file.parent / "__init__.py").exists()} == set()


def test_every_tool_knows_every_package() -> None:
    tools = PYPROJECT["tool"]

    assert sorted(tools["importlinter"]["root_packages"]) == PACKAGES
    assert sorted(tools["coverage"]["run"]["source_pkgs"]) == PACKAGES
    assert sorted(tools["ruff"]["lint"]["isort"]["known-first-party"]) == [*PACKAGES, "tests"]


def test_the_import_rules_name_every_package() -> None:
    adapters, entrypoints = _packages_in("adapters"), _packages_in("entrypoints")
    layers = [sorted(layer.split(" : ")) for layer in _contract("arrows-inward")["layers"]]

    assert set(adapters + entrypoints) <= set(_contract("core-alone")["forbidden_modules"])
    assert sorted(_contract("adapters-apart")["modules"]) == adapters
    assert layers == [entrypoints, adapters, ["order_core"]]


def test_the_library_alone_needs_nothing_but_python() -> None:
    assert PYPROJECT["project"]["dependencies"] == []


def test_every_declared_entry_point_can_be_loaded() -> None:
    ours = [
        entry_point
        for group in ("console_scripts", "order_core.gateways")
        for entry_point in entry_points(group=group)
        if entry_point.dist is not None and entry_point.dist.name == "order-core"
    ]

    assert {entry_point.name for entry_point in ours} == {
        "order-core",
        "adyen",
        "paypal",
        "sandbox",
        "square",
        "stripe",
    }
    assert all(callable(entry_point.load()) for entry_point in ours)


def test_the_tests_run_against_what_they_were_started_for() -> None:
    wheel = os.environ.get("TESTED_AS") == "wheel"
    files = [Path(str(import_module(name).__file__)) for name in PACKAGES]

    assert {file.is_relative_to(SRC) for file in files} == {not wheel}
