"""What staff sees and does, in a shop in memory."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from order_core.order_status import OrderStatus
from order_core.payment import DISPUTE_OPEN, Origin, TransactionKind
from order_core.payment_terms import CaptureMode, Policy
from order_memory import InMemoryShop, Reaction
from order_memory.reactions import Delivery
from tests.unit.http_service import customer, errors_of, in_memory_shop, order_body, service

LOST = Reaction(delivery=Delivery.REQUEST_LOST)


@pytest.fixture
def shop() -> InMemoryShop:
    return in_memory_shop()


@pytest.fixture
def holding() -> InMemoryShop:
    """A shop that takes the money only when it begins to process."""
    return in_memory_shop(policy=Policy(capture=CaptureMode.ON_PROCESSING))


async def placed(app: Any, **changes: Any) -> str:
    async with customer(app) as ann:
        answer = await ann.post("/api/orders/create", json=order_body(**changes))
    assert answer.status_code in {201, 202}, answer.text
    return str(answer.headers["Location"])


async def act(
    app: Any, address: str, body: Any = None, *, key: str | None = None
) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    async with customer(app, "staff") as grace:
        if body is None:
            return await grace.post(address, headers=headers)
        return await grace.post(address, json=body, headers=headers)


@pytest.mark.parametrize("action", ["process", "refunds", "review"])
@pytest.mark.parametrize("bearer", ["ann", "reader", "writer"])
async def test_customers_do_not_do_the_work_of_staff(
    shop: InMemoryShop, action: str, bearer: str
) -> None:
    app = service(shop.core)
    order = await placed(app)
    async with customer(app, bearer) as ann:
        answer = await ann.post(f"{order}/{action}", json={})

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert 'scope="orders:manage"' in answer.headers["WWW-Authenticate"]


# Reading ----------------------------------------------------------------------------------


async def test_staff_reads_any_order_and_sees_more_of_it(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await placed(app)
    async with customer(app, "staff") as grace, customer(app) as ann:
        shown = (await grace.get(address)).json()
        history = (await grace.get(f"{address}/history")).json()
        own = (await ann.get(address)).json()
        own_history = (await ann.get(f"{address}/history")).json()

    assert shown["customer_id"] == "customer-ann"
    (charge,) = shown["transactions"]
    assert (charge["kind"], charge["status"], charge["amount"]) == ("charge", "succeeded", 25.0)
    assert charge["provider_reference"]
    assert history == own_history
    assert not {"customer_id", "transactions"} & own.keys()


async def test_staff_lists_the_orders_of_all_customers_or_of_one(shop: InMemoryShop) -> None:
    app = service(shop.core)
    async with customer(app) as ann, customer(app, "bob") as bob:
        for number in range(2):
            await ann.post("/api/orders/create", json=order_body(shipping_address=f"{number}"))
        await bob.post("/api/orders/create", json=order_body())
        own = (await ann.get("/api/orders/?customer_id=customer-ann")).json()
        refused = await bob.get("/api/orders/?customer_id=customer-ann")
    async with customer(app, "staff") as grace:
        everybody = (await grace.get("/api/orders/")).json()
        anns = await grace.get("/api/orders/?customer_id=customer-ann&limit=1")
        rest = await grace.get(anns.links["next"]["url"])
        nobody = (await grace.get("/api/orders/?customer_id=customer-eve")).json()
        twice = await grace.get("/api/orders/?customer_id=a&customer_id=b")

    assert [each["customer_id"] for each in everybody] == ["customer-bob", *["customer-ann"] * 2]
    assert [each["customer_id"] for each in [*anns.json(), *rest.json()]] == ["customer-ann"] * 2
    assert nobody == []
    assert len(own) == 2
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert errors_of(twice) == {"?customer_id": "repeated"}


async def test_staff_is_told_what_can_be_done_and_why_not(
    shop: InMemoryShop,
) -> None:
    app = service(shop.core)
    address = await placed(app)
    waiting = await placed(app, payment_method="action_required")
    async with customer(app, "staff") as grace, customer(app, "manager") as owner:
        paid = (await grace.get(address)).json()
        open_ = (await grace.get(waiting)).json()
        own = (await owner.get(address)).json()

    assert paid["allowed_actions"] == ["process", "refund"]
    assert [each["action"] for each in paid["refused_actions"]] == ["ship", "deliver", "review"]
    assert own["allowed_actions"] == ["cancel", "process", "refund"]
    assert {each["action"]: each["reason"] for each in open_["refused_actions"]} == {
        "process": "unpaid",
        "ship": "unpaid",
        "deliver": "unpaid",
        "refund": "nothing_captured",
        "review": "not_in_review",
    }


# Processing -------------------------------------------------------------------------------


async def test_a_paid_order_is_processed_however_often_it_is_asked_for(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await placed(app)

    first = await act(app, f"{address}/process", key="work-1")
    again = await act(app, f"{address}/process", key="work-1")
    without_key = await act(app, f"{address}/process")

    assert (first.status_code, first.json()["status"]) == (200, "processing")
    assert first.json()["allowed_actions"] == ["ship", "refund"]
    assert again.json() == without_key.json() == first.json()
    async with customer(app) as ann:
        too_late = await ann.post(f"{address}/cancel")
    assert (too_late.status_code, too_late.json()["code"]) == (409, "cannot_cancel")


async def test_what_is_only_held_is_taken_when_processing_begins(holding: InMemoryShop) -> None:
    app = service(holding.core)
    address = await placed(app)
    async with customer(app) as ann:
        held = (await ann.get(address)).json()
    processing = await act(app, f"{address}/process")

    assert (held["status"], held["payment"]["status"]) == ("pending", "authorized")
    assert (processing.status_code, processing.json()["status"]) == (200, "processing")
    assert processing.json()["payment"]["status"] == "paid"
    kinds = [each["kind"] for each in processing.json()["transactions"]]
    assert kinds == ["authorization", "capture"]


async def test_a_capture_without_an_answer_is_under_way(holding: InMemoryShop) -> None:
    app = service(holding.core)
    address = await placed(app)
    holding.gateway.react(LOST)

    answer = await act(app, f"{address}/process", key="work-2")
    async with customer(app) as ann:
        refused = await ann.post(f"{address}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert answer.headers["Retry-After"] == "2"
    assert (refused.status_code, refused.json()["reason"]) == (409, "capture_in_progress")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (OrderStatus.SHIPPED, "already_shipped"),
        (OrderStatus.DELIVERED, "already_delivered"),
        (OrderStatus.CANCELLED, "already_cancelled"),
    ],
)
async def test_an_order_that_is_past_that_is_not_processed(
    shop: InMemoryShop, status: OrderStatus, reason: str
) -> None:
    app = service(shop.core)
    address = await placed(app)
    order = await shop.orders.get(address.rpartition("/")[2])
    await shop.orders.save(replace(order, status=status))

    answer = await act(app, f"{address}/process")

    assert (answer.status_code, answer.json()["code"]) == (409, "cannot_process")
    assert answer.json()["reason"] == reason


async def test_an_order_that_does_not_exist_is_not_processed(shop: InMemoryShop) -> None:
    answer = await act(service(shop.core), "/api/orders/never-placed/process")

    assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")


# Giving back ------------------------------------------------------------------------------


async def test_a_part_goes_back_and_then_the_rest(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await placed(app)

    part = await act(app, f"{address}/refunds", {"amount": 10.5}, key="back-1")
    again = await act(app, f"{address}/refunds", {"amount": "10.50"}, key="back-1")
    too_much = await act(app, f"{address}/refunds", {"amount": 14.51})
    rest = await act(app, f"{address}/refunds")
    more = await act(app, f"{address}/refunds", {})

    assert (part.status_code, part.json()["payment"]["status"]) == (200, "partially_refunded")
    assert again.json() == part.json()
    assert errors_of(too_much) == {"/amount": "refund_too_large"}
    assert (rest.status_code, rest.json()["payment"]["status"]) == (200, "refunded")
    assert [each["amount"] for each in rest.json()["transactions"]] == [25.0, 10.5, 14.5]
    assert (more.status_code, more.json()["code"]) == (409, "cannot_refund")
    assert more.json()["reason"] == "already_refunded"


async def test_one_key_gives_back_one_amount(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await placed(app)

    await act(app, f"{address}/refunds", {"amount": 1}, key="back-2")
    reused = await act(app, f"{address}/refunds", {"amount": 2}, key="back-2")

    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_refund_without_an_answer_is_under_way(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await placed(app)
    shop.gateway.react(LOST)

    answer = await act(app, f"{address}/refunds", {"amount": 3})

    assert answer.status_code == 202
    assert answer.json()["transactions"][1]["status"] == "unknown"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"amount": 0}, {"/amount": "nothing_to_refund"}),
        ({"amount": -1}, {"/amount": "negative_amount"}),
        ({"amount": 1.005}, {"/amount": "too_many_decimals"}),
        ({"amount": 1e30}, {"/amount": "amount_too_large"}),
        ({"amount": "ten"}, {"/amount": "not_a_number"}),
        ({"amount": None}, {"/amount": "wrong_type"}),
        ({"amount": True}, {"/amount": "wrong_type"}),
        ({"amuont": 1}, {"/amuont": "unknown_field"}),
        ([], {"": "wrong_type"}),
    ],
)
async def test_an_amount_that_makes_no_sense_gives_nothing_back(
    shop: InMemoryShop, body: Any, errors: dict[str, str]
) -> None:
    app = service(shop.core)
    address = await placed(app)

    answer = await act(app, f"{address}/refunds", body)

    assert (answer.status_code, errors_of(answer)) == (422, errors)
    assert len((await shop.orders.get(address.rpartition("/")[2])).transactions) == 1


async def test_nothing_goes_back_that_was_never_taken(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await placed(app, payment_method="action_required")

    answer = await act(app, f"{address}/refunds")

    assert (answer.status_code, answer.json()["reason"]) == (409, "nothing_captured")


# Deciding ---------------------------------------------------------------------------------


async def in_review(app: Any) -> tuple[str, dict[str, Any]]:
    address = await placed(app, payment_method="wrong_amount")
    async with customer(app, "staff") as grace:
        order = (await grace.get(address)).json()
    (charge,) = order["transactions"]
    assert order["allowed_actions"][-1] == "review"
    assert charge["in_review_because"]
    return address, {"transaction_id": charge["transaction_id"], "note": "Rang the bank."}


@pytest.mark.parametrize(
    ("decision", "status", "payment"),
    [
        ("accept", "pending", "paid"),
        ("refund", "payment_failed", "refunded"),
        ("note", "awaiting_payment", "in_review"),
    ],
)
async def test_a_person_decides_about_a_payment_in_doubt(
    shop: InMemoryShop, decision: str, status: str, payment: str
) -> None:
    app = service(shop.core)
    address, body = await in_review(app)

    answer = await act(app, f"{address}/review", body | {"decision": decision}, key="word-1")
    again = await act(app, f"{address}/review", body | {"decision": decision}, key="word-1")

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["payment"]["status"]) == (status, payment)
    assert again.json() == answer.json()
    async with customer(app, "staff") as grace:
        history = (await grace.get(f"{address}/history")).json()
    (said,) = [each["details"] for each in history if each["event"] == "reviewed"]
    assert (said["by"], said["note"]) == ("staff-grace", "Rang the bank.")


async def test_how_an_accepted_dispute_ended_may_be_told(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await placed(app)
    order = await shop.orders.get(address.rpartition("/")[2])
    paid = order.charge
    dispute = replace(
        paid,
        id="dispute",
        kind=TransactionKind.REVERSAL,
        origin=Origin.PROVIDER,
        parent_id=paid.id,
        parent_reference=paid.provider_reference,
        provider_reference="dp-1",
        reason=DISPUTE_OPEN,
    )
    await shop.orders.save(order.with_transaction(dispute))
    async with customer(app, "staff") as grace:
        disputed = (await grace.get(address)).json()

    wish = {"transaction_id": dispute.id, "decision": "dispute_won", "note": "n"}
    answer = await act(app, f"{address}/review", wish)

    assert "review" in disputed["allowed_actions"]
    assert answer.status_code == 200
    assert "review" not in answer.json()["allowed_actions"]


async def test_a_payment_without_doubt_needs_no_decision(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await placed(app)
    order = await shop.orders.get(address.rpartition("/")[2])
    wish = {"transaction_id": order.charge.id, "decision": "accept", "note": "n"}

    answer = await act(app, f"{address}/review", wish)
    unknown = await act(app, f"{address}/review", wish | {"transaction_id": "nobody"})

    assert (answer.status_code, answer.json()["reason"]) == (409, "not_in_review")
    assert (unknown.status_code, unknown.json()["reason"]) == (409, "no_such_transaction")


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"decision": "forget"}, {"/decision": "unknown_decision"}),
        ({"note": " "}, {"/note": "empty"}),
        ({"note": "n" * 2001}, {"/note": "too_long"}),
        ({"note": "card 4242 4242 4242 4242"}, {"/note": "raw_card_number"}),
        ({"note": None}, {"/note": "wrong_type"}),
        ({"transaction_id": 7}, {"/transaction_id": "wrong_type"}),
        ({"by": "me"}, {"/by": "unknown_field"}),
    ],
)
async def test_a_decision_that_makes_no_sense_decides_nothing(
    shop: InMemoryShop, changes: dict[str, Any], errors: dict[str, str]
) -> None:
    app = service(shop.core)
    address, body = await in_review(app)

    answer = await act(app, f"{address}/review", body | {"decision": "accept"} | changes)

    assert (answer.status_code, errors_of(answer)) == (422, errors)


async def test_a_decision_needs_a_body(shop: InMemoryShop) -> None:
    app = service(shop.core)
    address = await placed(app)

    answer = await act(app, f"{address}/review")

    assert answer.status_code == 415
