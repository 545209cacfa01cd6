"""The real service, the real Stripe SDK, and a Stripe that pretends, each over HTTP."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.emulated_stripe import StripeShop
from tests.integration.service_process import an_order, run_command

TOTAL = 7990

# They share one service: several workers would each start their own.
pytestmark = pytest.mark.xdist_group("one stripe shop")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeShop]:
    # Recovery comes late, so that what settles an order here is the event.
    with StripeShop(tmp_path_factory.mktemp("stripe"), RECOVERY_DELAY="3600") as shop:
        yield shop


def place(shop: StripeShop, token: str, **changes: Any) -> httpx.Response:
    return shop.service.place(an_order(payment_method=f"stripe:{token}", **changes))


def reference_in(secret: str) -> str:
    return secret.partition("_secret")[0]


def mail_to(shop: StripeShop, address: str) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for mail in shop.service.wait_for_mails(1):
            if f"To: {address}" in mail:
                return mail
        time.sleep(0.05)
    raise AssertionError(f"no mail to {address}")


def webhooks_counted(shop: StripeShop) -> dict[str, float]:
    lines = shop.service.client.get("/metrics").text.splitlines()
    return {
        line.partition('verdict="')[2].partition('"')[0]: float(line.rsplit(" ", 1)[1])
        for line in lines
        if line.startswith("order_http_webhooks_total{")
    }


def test_a_card_pays_and_cancelling_gives_the_money_back(shop: StripeShop) -> None:
    before = shop.stripe.moved("refund")
    placed = place(shop, "pm_card_visa")
    cancelled = shop.service.client.post(placed.headers["Location"] + "/cancel")

    assert (placed.status_code, placed.json()["payment"]["status"]) == (201, "paid")
    assert cancelled.status_code == 200
    shop.service.wait_for_status(placed.json()["order_id"], "cancelled", payment="refunded")
    assert shop.stripe.moved("refund") - before == TOTAL


def test_a_declined_card_pays_nothing(shop: StripeShop) -> None:
    answer = place(shop, "pm_card_visa_chargeDeclinedInsufficientFunds")

    assert answer.status_code == 402
    assert answer.json()["decline_code"] == "insufficient_funds"


def test_the_buyer_approves_and_the_event_places_the_order(shop: StripeShop) -> None:
    opened = place(shop, "pm_card_authenticationRequired", email="approves@example.com")
    action = opened.json()["payment"]["action"]
    assert (opened.status_code, action["type"]) == (202, "client_secret")

    reference = reference_in(action["client_secret"])
    shop.stripe.order("act", {"reference": reference, "decision": "approve"})

    shop.service.wait_for_status(opened.json()["order_id"], "pending", payment="paid")
    assert opened.json()["order_id"] in mail_to(shop, "approves@example.com")
    shop.stripe.order("webhooks", {"action": "drain"})
    counted = webhooks_counted(shop)
    # A worker that asked in the same moment leaves no news for the event.
    assert counted.get("settled", 0) + counted.get("no_news", 0) >= 1


def test_a_buyer_who_refuses_has_an_open_order_until_it_expires(shop: StripeShop) -> None:
    opened = place(shop, "pm_card_authenticationRequired", email="refuses@example.com").json()
    reference = reference_in(opened["payment"]["action"]["client_secret"])

    shop.stripe.order("act", {"reference": reference, "decision": "refuse"})
    shop.stripe.order("webhooks", {"action": "drain"})

    assert shop.service.order(opened["order_id"])["status"] in {
        "awaiting_payment",
        "payment_failed",
    }
    assert shop.stripe.moved("dispute") == 0


def test_forged_and_repeated_events_change_nothing(shop: StripeShop) -> None:
    placed = place(shop, "pm_card_visa", email="repeats@example.com")
    order = shop.service.order(placed.json()["order_id"])
    shop.stripe.order("webhooks", {"action": "drain"})
    before = webhooks_counted(shop)

    shop.stripe.order("webhooks", {"action": "forge"})
    shop.stripe.order("webhooks", {"action": "drain"})
    shop.stripe.order("webhooks", {"action": "redeliver"})
    shop.stripe.order("webhooks", {"action": "drain"})

    after = webhooks_counted(shop)
    assert after["rejected"] > before.get("rejected", 0)
    assert after.get("settled", 0) == before.get("settled", 0)
    assert shop.service.order(order["order_id"]) == order


def test_staff_processes_the_order_and_gives_a_part_back_once(shop: StripeShop) -> None:
    before = shop.stripe.moved("refund")
    address = place(shop, "pm_card_visa", email="part@example.com").headers["Location"]

    processing = shop.staff.post(f"{address}/process")
    refund, key = {"amount": 12.34}, {"Idempotency-Key": "part-1"}
    part = shop.staff.post(f"{address}/refunds", json=refund, headers=key)
    again = shop.staff.post(f"{address}/refunds", json=refund, headers=key)

    assert (processing.status_code, processing.json()["status"]) == (200, "processing")
    assert (part.status_code, again.status_code) == (200, 200)
    assert shop.stripe.moved("refund") - before == 1234
    assert again.json()["payment"]["status"] == "partially_refunded"
    assert shop.service.client.post(f"{address}/refunds", json=refund).status_code == 403


def test_what_waits_is_told_with_its_reason_and_no_secret(shop: StripeShop) -> None:
    opened = place(shop, "pm_card_authenticationRequired", email="waits@example.com").json()
    settings = dict(shop.service.settings)
    document = run_command("open", "--json", **settings)
    table = run_command("open", **settings)

    waiting: list[dict[str, Any]] = json.loads(document.stdout)["transactions"]
    (own,) = [each for each in waiting if each["order_id"] == opened["order_id"]]
    assert (own["waits_for"], own["provider"], own["amount"]) == (
        "the buyer",
        "stripe",
        "79.90 USD",
    )
    assert "the payment has to be approved" in table.stdout
    secret = opened["payment"]["action"]["client_secret"]
    assert secret not in document.stdout + table.stdout


def test_an_answer_that_is_lost_after_the_charge_is_found_and_charged_once(tmp_path: Path) -> None:
    with StripeShop(tmp_path, RECOVERY_DELAY="0.2", STRIPE_WEBHOOK_SECRET="") as shop:
        lost = {"on": "POST /v1/payment_intents", "kind": "answer_lost", "times": 1}
        shop.stripe.order("faults", [lost])

        answer = place(shop, "pm_card_visa")
        shop.service.wait_for_status(answer.json()["order_id"], "pending", payment="paid")

        assert answer.status_code in {201, 202}
        assert shop.stripe.moved("charge") == TOTAL
        told = shop.service.client.post("/api/webhooks/stripe", content=b"{}")
        assert (told.status_code, told.json()["code"]) == (404, "webhook_not_found")


def test_money_is_held_with_the_order_and_taken_when_it_is_processed(tmp_path: Path) -> None:
    with StripeShop(tmp_path, CAPTURE="on_processing") as shop:
        placed = place(shop, "pm_card_visa")
        held = shop.stripe.moved("charge") + shop.stripe.moved("capture")
        processing = shop.staff.post(placed.headers["Location"] + "/process")
        dropped = place(shop, "pm_card_visa")
        shop.service.client.post(dropped.headers["Location"] + "/cancel")
        shop.service.wait_for_status(dropped.json()["order_id"], "cancelled", payment="unpaid")

        assert (placed.status_code, placed.json()["payment"]["status"]) == (201, "authorized")
        assert held == 0
        assert (processing.status_code, processing.json()["status"]) == (200, "processing")
        assert shop.stripe.moved("capture") + shop.stripe.moved("charge") == TOTAL
        assert shop.stripe.moved("refund") == 0
