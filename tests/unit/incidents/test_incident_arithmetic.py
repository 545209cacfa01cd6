"""Arithmetic of money: fractions of a cent, and currencies without cents."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adyen import requests as adyen_requests
from order_core.errors import InvalidValue
from order_core.money import Money
from order_core.order_item import OrderItem, total_of
from order_core.payment import PaymentTransaction
from order_memory.contracts import samples
from order_paypal import amounts as paypal_amounts
from order_square import requests as square_requests
from order_stripe import requests as stripe_requests
from tests.unit.incidents.shop import Shop

_NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def _a_charge(amount: Money, token: str) -> PaymentTransaction:
    return samples.a_charge("order-52", _NOON, amount=amount, token=token)


def asked_of_stripe(amount: Money) -> dict[str, Any]:
    asked = stripe_requests.payment(_a_charge(amount, "pm_card_visa"))
    return {name: asked[name] for name in ("amount", "currency")}


def asked_of_square(amount: Money) -> Any:
    return square_requests.payment(_a_charge(amount, "cnon:once"), "L8KIEL24159")["amount_money"]


def asked_of_adyen(amount: Money) -> Any:
    return adyen_requests.payment(_a_charge(amount, "stored:OK7@ann"), "KielMugs")["amount"]


def asked_of_paypal(amount: Money) -> dict[str, Any]:
    return paypal_amounts.written(amount)


# medusajs/medusa #14818
@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99_999)), min_size=1, max_size=20))
def test_incident_51_a_total_is_the_exact_sum_of_its_lines(lines: list[tuple[int, int]]) -> None:
    items = tuple(OrderItem(f"p-{n}", q, Money(cents, "EUR")) for n, (q, cents) in enumerate(lines))

    assert total_of(items).minor_units == sum(q * cents for q, cents in lines)


# medusajs/medusa #14818
@pytest.mark.parametrize(("price", "currency"), [("10.005", "EUR"), ("0.5", "JPY")])
def test_incident_51_a_fraction_of_the_smallest_unit_is_refused_and_never_rounded(
    price: str, currency: str
) -> None:
    with pytest.raises(InvalidValue):
        Money.parse(price, currency)


# medusajs/medusa #13972
async def test_incident_51_parts_that_were_given_back_leave_no_cent_outstanding(
    shop: Shop,
) -> None:
    placed = await shop.place()
    for part in (833, 833, 834):
        await shop.core.refund(placed.id, by=f"{part}", amount=Money(part, "EUR"))
    order = await shop.order()

    assert order.captured_minor_units - order.refunded_minor_units == 0
    assert order.payment_status == "refunded"


# Paymenter/Paymenter #1258, InvoicePlane/InvoicePlane #1677, cartalyst/stripe #59
@pytest.mark.parametrize(
    ("asked_of", "amount", "as_asked"),
    [
        (asked_of_stripe, Money(6000, "JPY"), {"amount": 6000, "currency": "jpy"}),
        (asked_of_stripe, Money(6000, "EUR"), {"amount": 6000, "currency": "eur"}),
        (asked_of_square, Money(6000, "JPY"), {"amount": 6000, "currency": "JPY"}),
        (asked_of_adyen, Money(6000, "JPY"), {"value": 6000, "currency": "JPY"}),
        (asked_of_paypal, Money(6000, "JPY"), {"value": "6000", "currency_code": "JPY"}),
        (asked_of_paypal, Money(6000, "EUR"), {"value": "60.00", "currency_code": "EUR"}),
    ],
)
def test_incident_52_what_is_asked_of_the_provider_is_the_amount_and_not_a_hundredfold(
    asked_of: Callable[[Money], dict[str, Any]], amount: Money, as_asked: dict[str, Any]
) -> None:
    assert asked_of(amount) == as_asked


# Paymenter/Paymenter #1258
def test_incident_52_six_thousand_yen_are_six_thousand_units_and_sixty_euro_too() -> None:
    assert Money.parse("6000", "JPY").minor_units == 6000
    assert Money.parse("60.00", "EUR").minor_units == 6000
