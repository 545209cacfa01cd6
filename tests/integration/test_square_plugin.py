"""Square is switched on by its settings, and every mistake in them is named at once."""

import subprocess
import sys
from datetime import timedelta

import pytest

from order_core.payment import TransactionKind
from order_core.ports.gateway_plugin import SettingsInvalid
from order_square import build
from order_square.event_log import SquareEventLog
from order_square.plugin import PRODUCTION

_GOOD = {
    "SQUARE_ACCESS_TOKEN": "EAAA-very-secret",
    "SQUARE_LOCATION_ID": "L8KIEL24159",
}
_HOOKS = {
    "SQUARE_WEBHOOK_SIGNATURE_KEY": "signature-key-very-secret",
    "SQUARE_WEBHOOK_URL": "https://shop.example/api/webhooks/square",
}


async def test_a_token_and_a_location_are_enough() -> None:
    plugin = build(_GOOD)

    profile = plugin.gateway.profile
    assert plugin.webhooks is None
    assert isinstance(plugin.event_log, SquareEventLog)
    assert (profile.provider, profile.account) == ("square", "L8KIEL24159@connect.squareup.com")
    # Nothing is published about the life of a key, so no more than an hour is believed.
    assert profile.key_life == timedelta(hours=1)
    assert TransactionKind.REFUND in profile.looks_up
    await plugin.gateway.close()


async def test_the_sandbox_is_another_account() -> None:
    plugin = build({**_GOOD, "SQUARE_API_BASE": "https://connect.squareupsandbox.com/"})

    assert plugin.gateway.profile.account == "L8KIEL24159@connect.squareupsandbox.com"
    await plugin.gateway.close()


async def test_with_key_and_address_there_are_webhooks() -> None:
    plugin = build({**_GOOD, **_HOOKS})

    assert plugin.webhooks is not None
    assert isinstance(plugin.event_log, SquareEventLog)
    assert "very-secret" not in repr(plugin)
    await plugin.gateway.close()


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({}, {"SQUARE_ACCESS_TOKEN", "SQUARE_LOCATION_ID"}),
        ({**_GOOD, "SQUARE_ACCESS_TOKEN": "a b"}, {"SQUARE_ACCESS_TOKEN"}),
        ({**_GOOD, "SQUARE_ACCESS_TOKEN": "a\nb"}, {"SQUARE_ACCESS_TOKEN"}),
        ({**_GOOD, "SQUARE_LOCATION_ID": "L/1"}, {"SQUARE_LOCATION_ID"}),
        ({**_GOOD, "SQUARE_CURRENCY": "KWD"}, {"SQUARE_CURRENCY"}),
        ({**_GOOD, "SQUARE_API_BASE": "http://connect.squareup.com"}, {"SQUARE_API_BASE"}),
        ({**_GOOD, "SQUARE_API_BASE": "https://a.example/v2"}, {"SQUARE_API_BASE"}),
        ({**_GOOD, "SQUARE_API_BASE": "https://u:p@a.example"}, {"SQUARE_API_BASE"}),
        ({**_GOOD, "SQUARE_API_BASE": "https://a.example:port"}, {"SQUARE_API_BASE"}),
        ({**_GOOD, "SQUARE_API_BASE": ""}, {"SQUARE_API_BASE"}),
        (
            {**_GOOD, "SQUARE_WEBHOOK_SIGNATURE_KEY": "k"},
            {"SQUARE_WEBHOOK_URL"},
        ),
        (
            {**_GOOD, "SQUARE_WEBHOOK_URL": "https://shop.example/hook"},
            {"SQUARE_WEBHOOK_SIGNATURE_KEY"},
        ),
        ({**_GOOD, "SQUARE_LOCATIONS": "L1"}, {"SQUARE_LOCATIONS"}),
        (
            {"SQUARE_ACCESS_TOKEN": "", "SQUARE_CURRENCY": "eur", "SQUARE_API_BASE": "x"},
            {"SQUARE_ACCESS_TOKEN", "SQUARE_LOCATION_ID", "SQUARE_CURRENCY", "SQUARE_API_BASE"},
        ),
    ],
)
def test_every_mistake_is_named_at_once(settings: dict[str, str], wrong: set[str]) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        build(settings)

    assert {name for name, _ in refusal.value.mistakes} == wrong


def test_a_secret_is_not_repeated_when_it_is_wrong() -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        build({**_GOOD, "SQUARE_ACCESS_TOKEN": "EAAA very secret"})

    assert "EAAA" not in str(refusal.value)


async def test_an_emulator_on_this_machine_needs_no_https() -> None:
    plugin = build({**_GOOD, "SQUARE_API_BASE": "http://127.0.0.1:4011"})

    assert plugin.gateway.profile.account == "L8KIEL24159@127.0.0.1:4011"
    await plugin.gateway.close()


def test_the_sdk_is_loaded_only_when_square_is_used() -> None:
    code = "import sys, order_square; sys.exit('square' in sys.modules or 'httpx' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert PRODUCTION.startswith("https://")
