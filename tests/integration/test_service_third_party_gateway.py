"""A gateway that another package brings, in the real service."""

import os
from pathlib import Path

import pytest

from tests.integration.service_process import SECRET, ServiceProcess, an_order, run_command

PLUGIN = '''
from datetime import timedelta

from order_core.outcomes import Declined, NotFound, Succeeded
from order_core.payment_terms import GatewayProfile
from order_core.ports.gateway_plugin import GatewayPlugin, SettingSpec


class Shells:
    """Takes cowrie shells: an even number of minor units pays, an odd one does not."""

    def __init__(self, beach):
        self.profile = GatewayProfile("shells", beach, key_life=timedelta(minutes=50))

    def check(self, amount, token, /):
        pass

    def is_single_use(self, token, /):
        return False

    async def send(self, transaction, /):
        if transaction.amount.minor_units % 2:
            return Declined("odd_number_of_shells")
        return Succeeded(f"shell-{transaction.id}", transaction.amount, transaction.id)

    async def look_up(self, transaction, /):
        return NotFound()

    async def close(self):
        pass


def build(settings):
    return GatewayPlugin(
        Shells(settings["SHELLS_BEACH"]),
        settings=(
            SettingSpec("SHELLS_BEACH", "Where the shells are."),
            SettingSpec("SHELLS_KEY", "Opens the chest.", secret=True),
        ),
    )
'''
KEY = "the-key-of-the-chest"


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    about = site / "shell_payments-0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shell-payments\nVersion: 0.1\n")
    (about / "entry_points.txt").write_text("[order_core.gateways]\nshells = shells:build\n")
    (site / "shells.py").write_text(PLUGIN)
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


def test_orders_are_paid_through_a_gateway_that_only_an_entry_point_names(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, SANDBOX="0", SANDBOX_LEDGER="", SHELLS_BEACH="north") as service:
        paid = service.place(an_order(payment_method="shells:basket"))
        by_default = service.place(an_order(payment_method="heap"))
        odd = an_order(payment_method="shells:basket")
        odd["items"][0] |= {"quantity": 1, "price": "0.01"}
        declined = service.place(odd)

    assert paid.status_code == 201
    assert paid.json()["payment"]["provider"] == "shells"
    assert by_default.json()["payment"]["provider"] == "shells"
    assert declined.status_code == 402
    assert "odd_number_of_shells" in declined.text


def test_check_shows_its_settings_and_refuses_windows_in_which_it_could_charge_twice(
    tmp_path: Path,
) -> None:
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'orders.sqlite3'}",
        "JWT_SECRET": SECRET,
        "PRICES": "trust",
        "SHELLS_BEACH": "north",
        "SHELLS_KEY": KEY,
    }
    fitting = run_command("check", **settings)
    too_long = run_command("check", CHARGE_WINDOW="1200", **settings)

    assert fitting.returncode == 0, fitting.stderr
    assert "Gateway shells, account north: a call takes up to 20 s" in fitting.stdout
    assert KEY not in fitting.stdout
    assert "north" in fitting.stdout
    assert too_long.returncode == 1
    assert "ORDER_CORE_CHARGE_WINDOW: shells: the charge window (0:20:00)" in too_long.stderr
