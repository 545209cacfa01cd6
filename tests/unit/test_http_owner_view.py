"""What stores keep of the API's answers has a name, and another one when it says another thing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from itertools import product

import pytest

from order_core.money import Money
from order_core.order import Order
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.payment import PaymentTransaction, TransactionKind, TransactionStatus
from order_core.shipping_address import ShippingAddress
from order_http.order_json import time_json
from order_http.owner_view import OWNER_VIEW
from tests.unit.http_service import customer, order_body, service

NOON = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)


def _charge(status: TransactionStatus) -> PaymentTransaction:
    return PaymentTransaction(
        id="t-1",
        order_id="o-1",
        customer_id="c-9",
        kind=TransactionKind.CHARGE,
        amount=Money(3395, "EUR"),
        provider="stripe",
        account="acct_1/test",
        installation="shop",
        request_version="1",
        recorded_at=NOON,
        send_until=NOON + timedelta(minutes=10),
        horizon=timedelta(minutes=30),
        status=status,
        reason="card_declined" if status is TransactionStatus.DECLINED else None,
    )


def _orders() -> Iterator[Order]:
    """Every status of an order with every status of its charge, whether or not they go together."""
    for status, paid in product(OrderStatus, TransactionStatus):
        yield Order(
            id="o-1",
            customer_id="c-9",
            items=(
                OrderItem("mug", 2, Money(1250, "EUR")),
                OrderItem("tea", 1, Money(895, "EUR")),
            ),
            total=Money(3395, "EUR"),
            shipping_address=ShippingAddress((("name", "Ada"), ("city", "Paris"))),
            email="ada@example.org",
            status=status,
            created_at=NOON,
            transactions=(_charge(paid),),
        )


@pytest.mark.parametrize("microsecond", [0, 5, 120_000, 999_999])
@pytest.mark.parametrize("hours", [0, 2])
def test_a_moment_is_told_in_utc_and_to_the_microsecond(microsecond: int, hours: int) -> None:
    moment = NOON.replace(microsecond=microsecond).astimezone(timezone(timedelta(hours=hours)))

    assert time_json(moment) == f"2026-03-01T12:00:00.{microsecond:06}Z"


def test_what_an_edition_says_never_changes() -> None:
    digest = sha256()
    for order in _orders():
        for form in (order, replace(order, email=None, shipping_address=None)):
            digest.update(OWNER_VIEW.text_of(form).encode() + b"\n")

    # Red, because an answer says something else now? Then old texts must not be shown any more:
    # give the view another edition, and write both down here.
    assert (OWNER_VIEW.edition, digest.hexdigest()[:16]) == ("json-1", "dc8014875aa97f95")


def test_a_text_is_one_json_object() -> None:
    for order in _orders():
        text = OWNER_VIEW.text_of(order)
        assert json.loads(text)["status"] == order.status.value
        assert '"total":33.95' in text


async def test_a_placed_order_reads_as_it_was_answered() -> None:
    async with customer(service()) as ann:
        placed = await ann.post("/api/orders/create", json=order_body())
        read = await ann.get(placed.headers["Location"])
        listed = await ann.get("/api/orders/")

    assert read.content == placed.content
    assert listed.content == b"[" + placed.content + b"]"
    assert read.headers["Content-Type"] == listed.headers["Content-Type"] == "application/json"
