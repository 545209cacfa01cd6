"""The sandbox is built from settings, and names every mistake in them."""

from pathlib import Path

import pytest

from order_core.ports.gateway_plugin import SettingsInvalid
from order_sandbox import SandboxGateway, build


async def test_it_is_built_with_its_books_in_the_file_named(tmp_path: Path) -> None:
    plugin = build({"SANDBOX": "1", "SANDBOX_LEDGER": str(tmp_path / "books.sqlite3")})

    assert isinstance(plugin.gateway, SandboxGateway)
    assert plugin.gateway.profile.provider == "sandbox"
    assert (tmp_path / "books.sqlite3").exists()
    await plugin.gateway.close()


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        build(
            {
                "SANDBOX": "perhaps",
                "SANDBOX_LEDGER": str(tmp_path / "no" / "such" / "folder"),
                "SANDBOX_HANG_SECONDS": "nan",
                "SANDBOX_SETTLE_SECONDS": "-1",
                "SANDBOX_PUBLIC_URL": "shop.example",
                "SANDBOX_COLOUR": "red",
            }
        )

    assert {name for name, _ in refusal.value.mistakes} == {
        "SANDBOX",
        "SANDBOX_LEDGER",
        "SANDBOX_HANG_SECONDS",
        "SANDBOX_SETTLE_SECONDS",
        "SANDBOX_PUBLIC_URL",
        "SANDBOX_COLOUR",
    }
    assert not list(tmp_path.iterdir())


def test_it_never_hangs_longer_than_a_call_may_take(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="SANDBOX_HANG_SECONDS"):
        build({"SANDBOX_LEDGER": str(tmp_path / "b"), "SANDBOX_HANG_SECONDS": "11"})


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, and longer than a page header" * 100)

    with pytest.raises(SettingsInvalid, match="SANDBOX_LEDGER"):
        build({"SANDBOX_LEDGER": str(tmp_path / "notes.txt")})


async def test_every_setting_is_described(tmp_path: Path) -> None:
    plugin = build({"SANDBOX_LEDGER": str(tmp_path / "books.sqlite3")})

    assert {spec.name for spec in plugin.settings} >= {"SANDBOX", "SANDBOX_LEDGER"}
    assert all(spec.meaning for spec in plugin.settings)
    await plugin.gateway.close()
