"""Gateways that other packages announce."""

import sys
from pathlib import Path

import pytest

from order_wiring.gateways import build_gateways, installed_gateways
from order_wiring.mistakes import ConfigurationInvalid

PLUGIN = """
from datetime import timedelta
from order_core.payment_terms import GatewayProfile
from order_core.ports.gateway_plugin import GatewayPlugin, SettingSpec, SettingsInvalid


class TeapotGateway:
    def __init__(self, account):
        self.profile = GatewayProfile("teapot", account, key_life=timedelta(hours=6))


def build(settings):
    if settings["TEAPOT_ACCOUNT"] == "empty":
        raise SettingsInvalid([("TEAPOT_ACCOUNT", "must hold tea"), ("TEAPOT_SPOUT", "is missing")])
    gateway = TeapotGateway(settings["TEAPOT_ACCOUNT"])
    return GatewayPlugin(gateway, settings=(SettingSpec("TEAPOT_ACCOUNT", "Whose tea it is."),))
"""


@pytest.fixture
def teapot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that was installed, and that no line of this project knows."""
    about = tmp_path / "teapot_payments-3.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: teapot-payments\nVersion: 3.2\n")
    (about / "entry_points.txt").write_text(
        "[order_core.gateways]\nteapot = teapot_payments:build\nbroken = not_there_at_all:build\n"
    )
    (tmp_path / "teapot_payments.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "teapot_payments", raising=False)


@pytest.mark.usefixtures("teapot")
def test_a_package_that_announces_a_gateway_is_found_but_not_imported() -> None:
    assert "teapot" in installed_gateways()
    assert "teapot_payments" not in sys.modules


@pytest.mark.usefixtures("teapot")
def test_a_gateway_is_built_from_its_settings() -> None:
    plugin = build_gateways({"teapot": {"TEAPOT_ACCOUNT": "oolong"}})["teapot"]

    assert plugin.gateway.profile.account == "oolong"


@pytest.mark.usefixtures("teapot")
def test_what_a_gateway_finds_wrong_is_told_with_the_variables_names() -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        build_gateways({"teapot": {"TEAPOT_ACCOUNT": "empty"}})

    assert [str(mistake) for mistake in refused.value.mistakes] == [
        "ORDER_CORE_TEAPOT_ACCOUNT: must hold tea",
        "ORDER_CORE_TEAPOT_SPOUT: is missing",
    ]


@pytest.mark.usefixtures("teapot")
def test_a_setting_that_a_gateway_does_not_read_is_refused_with_what_was_meant() -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        build_gateways({"teapot": {"TEAPOT_ACCOUNT": "oolong", "TEAPOT_ACOUNT": "assam"}})

    assert str(refused.value.mistakes[0]) == (
        "ORDER_CORE_TEAPOT_ACOUNT: gateway teapot has no such setting; "
        "did you mean ORDER_CORE_TEAPOT_ACCOUNT?"
    )


@pytest.mark.usefixtures("teapot")
def test_a_gateway_that_cannot_be_imported_is_named() -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        build_gateways({"broken": {"BROKEN_KEY": "k"}})

    assert str(refused.value.mistakes[0]) == (
        "ORDER_CORE_BROKEN_KEY: switches on gateway broken, which cannot be imported: "
        "No module named 'not_there_at_all'"
    )
