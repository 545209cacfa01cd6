"""`order-core reconcile`, the real service, and a Stripe that pretends: a process each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.emulated_stripe import StripeShop
from tests.integration.service_process import an_order, run_command


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[StripeShop]:
    with StripeShop(tmp_path) as shop:
        yield shop


def a_refund_that_nobody_heard_of(shop: StripeShop) -> str:
    """Where the order is of which a part went back at the dashboard."""
    placed = shop.service.place(an_order(payment_method="stripe:pm_card_visa"))
    (paid,) = shop.stripe.ledger()
    shop.stripe.order("webhooks", {"action": "drain"})
    shop.stripe.order("webhooks", {"action": "hold"})
    shop.stripe.client.post(
        "/v1/refunds",
        data={"payment_intent": paid["reference"], "amount": "700"},
        headers={"Authorization": "Bearer sk_test_emulator"},
    ).raise_for_status()
    shop.stripe.order("webhooks", {"action": "lose"})
    return placed.headers["Location"]


def payment_status(shop: StripeShop, order: str) -> Any:
    return shop.service.client.get(order).json()["payment"]["status"]


def test_what_never_came_is_taken_in_once(shop: StripeShop) -> None:
    order = a_refund_that_nobody_heard_of(shop)
    assert payment_status(shop, order) == "paid"

    first = run_command("reconcile", "--json", **shop.service.settings)
    assert payment_status(shop, order) == "partially_refunded"
    again = run_command("reconcile", **shop.service.settings)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    (found,) = json.loads(first.stdout)["providers"]
    assert (found["provider"], found["missed"], found["news"]) == ("stripe", 1, 1)
    assert "0 had never come, and 0 of those changed an order" in again.stdout


def test_a_provider_that_does_not_answer_is_a_failure_and_says_so(shop: StripeShop) -> None:
    a_refund_that_nobody_heard_of(shop)
    shop.stripe.order("faults", [{"on": "GET /v1/events", "kind": "error_before", "times": 9}])

    finished = run_command("reconcile", **shop.service.settings)

    assert finished.returncode == 1
    assert "stripe was not read to the end: answer 500" in finished.stdout


def test_without_a_record_there_is_nothing_to_read_and_it_says_so(tmp_path: Path) -> None:
    settings = {
        "SANDBOX": "1",
        "SANDBOX_LEDGER": str(tmp_path / "ledger.sqlite3"),
        "JWT_SECRET": "x" * 40,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'orders.sqlite3'}",
    }

    finished = run_command("reconcile", **settings)

    assert finished.returncode == 2
    assert "no provider here has a record of its events that can be read" in finished.stderr
    assert "Stripe, PayPal and Square have one" in finished.stderr
