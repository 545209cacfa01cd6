"""The provider is in trouble while customers order: nothing is lost, nothing charged twice."""

import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.emulated_stripe import StripeShop
from tests.integration.service_process import an_order

CUSTOMERS = 8
ORDERS = 40
TOTAL = 7990
TROUBLE_SECONDS = 5.0
LONGEST_ANSWER_SECONDS = 45.0
# The circuit lets one call try every 15 s, and the faults that are left may meet that very call.
PATIENCE_SECONDS = 150.0


def _ordered(shop: StripeShop, number: int) -> tuple[str, Counter[int], float]:
    """Order, and repeat with the same key until there is an order; how it was answered."""
    wish = an_order(payment_method="stripe:pm_card_visa", email=f"c{number}@example.com")
    wish["items"][0]["product_id"] = f"kettle-{number}"
    answers: Counter[int] = Counter()
    slowest = 0.0
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        began = time.monotonic()
        answer = shop.service.client.post(
            "/api/orders/create",
            json=wish,
            headers={"Idempotency-Key": f"outage-{number}"},
            timeout=LONGEST_ANSWER_SECONDS,
        )
        slowest = max(slowest, time.monotonic() - began)
        answers[answer.status_code] += 1
        if answer.status_code in {201, 202}:
            return answer.json()["order_id"], answers, slowest
        # 503 before the record while the circuit is open, or 409 while the first still runs.
        assert answer.status_code in {409, 503}, answer.text
        time.sleep(0.5)
    raise AssertionError(f"order {number} was never taken: {answers}")


@pytest.mark.timeout(300)
def test_a_provider_in_trouble_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with StripeShop(tmp_path, RECOVERY_DELAY="0.3", STRIPE_WEBHOOK_SECRET="") as shop:
        on = "POST /v1/payment_intents"
        shop.stripe.order(
            "faults",
            [
                {"on": on, "kind": "answer_lost", "times": 6},
                {"on": on, "kind": "error_after", "times": 4},
                {"on": on, "kind": "request_lost", "times": 6},
                {"on": on, "kind": "error_before", "times": 4},
                {"on": on, "kind": "rate_limited", "times": 4},
            ],
        )
        assert shop.stripe.process is not None
        shop.stripe.process.send_signal(signal.SIGSTOP)
        end = threading.Timer(TROUBLE_SECONDS, shop.stripe.process.send_signal, (signal.SIGCONT,))
        end.start()
        with ThreadPoolExecutor(CUSTOMERS) as customers:
            told = list(customers.map(lambda number: _ordered(shop, number), range(ORDERS)))
        end.join()
        for order_id, _, _ in told:
            # The last faults may meet the very calls with which the circuit tries again.
            shop.service.wait_for_status(order_id, "pending", payment="paid", seconds=60)

        assert len({order_id for order_id, _, _ in told}) == ORDERS
        assert shop.stripe.moved("charge") == ORDERS * TOTAL
        assert shop.stripe.moved("refund") == 0
        assert max(slowest for _, _, slowest in told) < LONGEST_ANSWER_SECONDS
        assert sum((answers for _, answers, _ in told), Counter())[202] > 0
