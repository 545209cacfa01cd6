"""POST /api/orders/{order_id}/cancel, in a shop in memory."""

from dataclasses import replace

import pytest

from order_core.errors import CannotCancel
from order_core.order_status import OrderStatus
from order_memory import Reaction, in_memory_shop
from order_memory.reactions import NOT_SEND
from tests.unit.http_service import customer, order_body, service


async def test_a_paid_order_is_cancelled_and_its_payment_given_back() -> None:
    async with customer(service()) as ann:
        placed = await ann.post("/api/orders/create", json=order_body())
        answer = await ann.post(placed.headers["Location"] + "/cancel")
        again = await ann.post(placed.headers["Location"] + "/cancel")
    assert answer.status_code == 200
    assert answer.json()["message"] == "The order is cancelled. The payment was given back."
    assert answer.json()["order"]["status"] == "cancelled"
    assert answer.json()["order"]["payment"]["status"] == "refunded"
    assert answer.json()["order"]["allowed_actions"] == []
    assert (again.status_code, again.json()) == (200, answer.json())


@pytest.mark.parametrize(
    ("method", "reactions", "message"),
    [
        ("ok", [NOT_SEND] * 50, "The order is cancelled. The payment is on its way back."),
        ("action_required", [], "The order is cancelled."),
        (
            "pending",
            [],
            "The order is cancelled. Should the payment still arrive, it is given back.",
        ),
    ],
)
async def test_the_message_says_what_becomes_of_the_money(
    method: str, reactions: list[Reaction], message: str
) -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        placed = await ann.post("/api/orders/create", json=order_body(payment_method=method))
        shop.gateway.react(*reactions)
        answer = await ann.post(placed.headers["Location"] + "/cancel")
    assert answer.json()["message"] == message


async def test_money_that_a_person_looks_after_is_not_promised_to_come_back() -> None:
    async with customer(service()) as ann:
        placed = await ann.post(
            "/api/orders/create", json=order_body(payment_method="wrong_amount")
        )
        answer = await ann.post(placed.headers["Location"] + "/cancel")
    assert answer.json()["message"] == "The order is cancelled. A person looks after the payment."


async def test_another_customers_order_cannot_be_cancelled() -> None:
    app = service()
    async with customer(app) as ann, customer(app, "bob") as bob:
        placed = await ann.post("/api/orders/create", json=order_body())
        refused = await bob.post(placed.headers["Location"] + "/cancel")
        kept = await ann.get(placed.headers["Location"])
    assert refused.status_code == 403
    assert kept.json()["status"] == "pending"


async def test_an_order_that_is_on_its_way_is_not_cancelled_and_the_reason_is_told() -> None:
    shop = in_memory_shop()
    async with customer(service(shop.core)) as ann:
        placed = await ann.post("/api/orders/create", json=order_body())
        order = await shop.orders.get(placed.json()["order_id"])
        await shop.orders.save(replace(order, status=OrderStatus.SHIPPED))
        refused = await ann.post(placed.headers["Location"] + "/cancel")
        shown = await ann.get(placed.headers["Location"])
    assert refused.status_code == 409
    assert refused.json()["code"] == "cannot_cancel"
    assert refused.json()["reason"] == "already_shipped"
    assert refused.json()["detail"] == (
        "The order cannot be cancelled: it has already been shipped."
    )
    assert shown.json()["allowed_actions"] == []
    assert shown.json()["refused_actions"] == [
        {
            "action": "cancel",
            "reason": "already_shipped",
            "detail": "it has already been shipped",
        }
    ]
    assert CannotCancel.__name__ not in refused.text


async def test_one_key_cancels_one_order() -> None:
    async with customer(service()) as ann:
        first = await ann.post("/api/orders/create", json=order_body())
        second = await ann.post("/api/orders/create", json=order_body(shipping_address="y"))
        key = {"Idempotency-Key": "cancel-1"}
        answer = await ann.post(first.headers["Location"] + "/cancel", headers=key)
        reused = await ann.post(second.headers["Location"] + "/cancel", headers=key)
    assert answer.status_code == 200
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
