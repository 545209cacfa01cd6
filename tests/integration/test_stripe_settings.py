"""Stripe is switched on by its settings, and says at once what is wrong with them."""

import hmac
import json
import time
from hashlib import sha256

import pytest

from order_core.ports.gateway_plugin import SettingsInvalid
from order_stripe import StripeEventLog, StripeGateway, StripeWebhooks, build


async def test_a_test_key_makes_a_gateway_of_the_test_mode() -> None:
    plugin = build({"STRIPE_API_KEY": "sk_test_51abc"})

    assert isinstance(plugin.gateway, StripeGateway)
    assert plugin.gateway.profile.account == "test:default"
    assert plugin.webhooks is None
    assert isinstance(plugin.event_log, StripeEventLog)
    await plugin.gateway.close()


async def test_the_live_mode_is_another_account() -> None:
    plugin = build({"STRIPE_API_KEY": "rk_live_51abc", "STRIPE_ACCOUNT": "kiel"})

    assert plugin.gateway.profile.account == "live:kiel"
    await plugin.gateway.close()


async def test_a_webhook_secret_opens_the_webhook_address() -> None:
    plugin = build({"STRIPE_API_KEY": "sk_test_51abc", "STRIPE_WEBHOOK_SECRET": "whsec_abc"})

    assert isinstance(plugin.webhooks, StripeWebhooks)
    assert isinstance(plugin.event_log, StripeEventLog)
    assert "whsec_abc" not in repr(plugin)
    assert "sk_test_51abc" not in repr(plugin)
    await plugin.gateway.close()


@pytest.mark.parametrize("mode", ["test", "live"])
async def test_what_is_told_of_the_other_mode_moves_nothing(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = build({"STRIPE_API_KEY": f"sk_{mode}_1", "STRIPE_WEBHOOK_SECRET": "whsec_abc"})
    assert plugin.webhooks is not None

    told = [await plugin.webhooks.parse(*_paid(livemode=mode == "live")) for _ in range(2)]
    assert caplog.messages == []
    strange = [await plugin.webhooks.parse(*_paid(livemode=mode == "test")) for _ in range(2)]
    await plugin.gateway.close()

    assert [len(event.facts) for event in told] == [1, 1]
    assert [(event.id, event.facts) for event in strange] == [("evt_1", ())] * 2
    assert caplog.messages == [
        "Stripe tells of the other mode than that of the key: check the webhook secret."
    ]


def _paid(*, livemode: bool) -> tuple[bytes, dict[str, str]]:
    intent = {
        "id": "pi_1",
        "status": "succeeded",
        "amount_received": 2500,
        "currency": "eur",
        "metadata": {"transaction_id": "charge-1", "installation": "default"},
    }
    event = {
        "object": "event",
        "id": "evt_1",
        "type": "payment_intent.succeeded",
        "livemode": livemode,
        "data": {"object": intent},
    }
    body, now = json.dumps(event).encode(), int(time.time())
    digest = hmac.new(b"whsec_abc", f"{now}.".encode() + body, sha256).hexdigest()
    return body, {"stripe-signature": f"t={now},v1={digest}"}


async def test_stripe_on_this_machine_may_be_spoken_to_without_encryption() -> None:
    plugin = build({"STRIPE_API_KEY": "sk_test_1", "STRIPE_API_BASE": "http://127.0.0.1:8421/"})

    await plugin.gateway.close()


def test_every_mistake_is_named_at_once_without_its_value() -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        build(
            {
                "STRIPE_API_KEY": "pk_live_public",
                "STRIPE_WEBHOOK_SECRET": "hush",
                "STRIPE_ACCOUNT": "a b",
                "STRIPE_API_BASE": "http://api.stripe.example",
                "STRIPE_APIKEY": "x",
            }
        )

    names = {name for name, _ in invalid.value.mistakes}
    assert names == {
        "STRIPE_API_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "STRIPE_ACCOUNT",
        "STRIPE_API_BASE",
        "STRIPE_APIKEY",
    }
    assert "pk_live_public" not in str(invalid.value)
    assert "hush" not in str(invalid.value)


@pytest.mark.parametrize(
    "base",
    [
        "ftp://127.0.0.1",
        "https://",
        "https://x/v1",
        "https://user@x",
        "https://x?a",
        "api.stripe.com",
        "https://[",
    ],
)
def test_a_strange_address_is_refused(base: str) -> None:
    with pytest.raises(SettingsInvalid, match="STRIPE_API_BASE"):
        build({"STRIPE_API_KEY": "sk_test_1", "STRIPE_API_BASE": base})


def test_without_a_key_there_is_no_gateway() -> None:
    with pytest.raises(SettingsInvalid, match="STRIPE_API_KEY"):
        build({})
