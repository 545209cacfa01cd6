"""PayPal's settings, and what is built from them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from order_core.outcomes import Continue
from order_core.ports.gateway_plugin import SettingsInvalid
from order_emulators.chassis import Decision
from order_memory.contracts import samples
from order_paypal import build
from tests.integration.paypal_wire import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, paypal_wire

_ACCOUNT = {"PAYPAL_CLIENT_ID": CLIENT_ID, "PAYPAL_CLIENT_SECRET": CLIENT_SECRET}


async def test_without_a_webhook_id_events_are_not_taken() -> None:
    plugin = build(_ACCOUNT)

    assert plugin.webhooks is None
    assert plugin.gateway.profile.provider == "paypal"
    await plugin.gateway.close()


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        build(
            {
                "PAYPAL_CLIENT_SECRET": "has a space",
                "PAYPAL_WEBHOOK_ID": "ä",
                "PAYPAL_API_BASE": "http://api-m.paypal.com",
                "PAYPAL_WEBHOOK_CA_FILE": "/nowhere.pem",
                "PAYPAL_CLIENT_IDD": "x",
            }
        )

    assert {name for name, _ in refusal.value.mistakes} == {
        "PAYPAL_CLIENT_ID",
        "PAYPAL_CLIENT_SECRET",
        "PAYPAL_WEBHOOK_ID",
        "PAYPAL_API_BASE",
        "PAYPAL_WEBHOOK_CA_FILE",
        "PAYPAL_CLIENT_IDD",
    }


@pytest.mark.parametrize(
    "base",
    [
        "",
        "api-m.paypal.com",
        "http://10.0.0.1",
        "https://eve@api-m.paypal.com",
        "https://api-m.paypal.com/v2",
        "https://api-m.paypal.com?x",
        "https://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        build({**_ACCOUNT, "PAYPAL_API_BASE": base})

    assert [name for name, _ in refusal.value.mistakes] == ["PAYPAL_API_BASE"]


def test_a_certificate_authority_of_ones_own_is_never_trusted_for_the_real_paypal(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(b"")

    with pytest.raises(SettingsInvalid, match="only for an emulator"):
        build({**_ACCOUNT, "PAYPAL_WEBHOOK_CA_FILE": str(file)})


async def test_the_authorities_of_the_world_are_read_but_for_those_that_break_the_rules() -> None:
    plugin = build({**_ACCOUNT, "PAYPAL_WEBHOOK_ID": WEBHOOK_ID})

    assert plugin.webhooks is not None
    await plugin.gateway.close()


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    emulator = {"PAYPAL_API_BASE": "http://127.0.0.1:4012", "PAYPAL_WEBHOOK_CA_FILE": str(file)}

    with pytest.raises(SettingsInvalid, match="holds no certificate"):
        build({**_ACCOUNT, **emulator})


async def test_another_mode_or_client_is_another_account() -> None:
    plugins = [
        build(_ACCOUNT),
        build({**_ACCOUNT, "PAYPAL_API_BASE": "https://api-m.sandbox.paypal.com"}),
        build({**_ACCOUNT, "PAYPAL_CLIENT_ID": "another"}),
    ]

    assert len({plugin.gateway.profile.account for plugin in plugins}) == 3
    for plugin in plugins:
        await plugin.gateway.close()


def test_the_secret_is_masked() -> None:
    masked = {spec.name for spec in build(_ACCOUNT).settings if spec.secret}

    assert masked == {"PAYPAL_CLIENT_SECRET"}


async def test_what_is_built_for_an_emulator_pays_and_reads_its_events(tmp_path: Path) -> None:
    async with paypal_wire() as wire:
        file = tmp_path / "ca.pem"
        file.write_bytes(wire.emulator.signer.root_pem)
        plugin = build(
            {
                **_ACCOUNT,
                "PAYPAL_WEBHOOK_ID": WEBHOOK_ID,
                "PAYPAL_API_BASE": wire.url,
                "PAYPAL_WEBHOOK_CA_FILE": str(file),
            }
        )
        assert plugin.webhooks is not None
        charge = samples.a_charge("order-5", datetime.now(UTC), token="vault:paypal:ok")

        begun = await plugin.gateway.send(charge)
        assert isinstance(begun, Continue)
        wire.emulator.act(begun.reference, Decision.APPROVE)
        (event,) = wire.emulator.take_events()
        told = wire.emulator.signed(event, url="x", at=datetime.now(UTC), forged=False)
        read = await plugin.webhooks.parse(told.body, told.headers)

        assert read.name == "CHECKOUT.ORDER.APPROVED"
        assert read.facts[0].transaction_id == charge.id
        await plugin.gateway.close()
