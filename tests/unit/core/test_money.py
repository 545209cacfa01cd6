"""Money is exact or refused."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from order_core.currencies import DECIMALS
from order_core.errors import InvalidValue
from order_core.money import MAX_MINOR_UNITS, Money

amounts = st.builds(
    Money, st.integers(0, MAX_MINOR_UNITS), st.sampled_from(["JPY", "EUR", "KWD", "USD"])
)


@given(amounts)
def test_every_amount_survives_being_written_and_read(money: Money) -> None:
    assert Money.parse(money.plain(), money.currency) == money


@given(amounts)
def test_every_amount_survives_a_json_number(money: Money) -> None:
    number = json.loads(money.plain(), parse_float=Decimal)

    assert Money.parse(number, money.currency) == money


def test_the_amount_that_a_float_would_round_is_kept() -> None:
    assert Money.parse("90071992547409.91", "USD").minor_units == 9007199254740991


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("12.5", "EUR", "12.50"),
        (12, "EUR", "12.00"),
        (Decimal("1E+3"), "EUR", "1000.00"),
        (Decimal("10.000"), "EUR", "10.00"),
        ("500", "JPY", "500"),
        ("0.005", "KWD", "0.005"),
        ("-0", "USD", "0.00"),
    ],
)
def test_an_amount_is_written_with_exactly_its_currencys_decimals(
    amount: Decimal | int | str, currency: str, written: str
) -> None:
    assert Money.parse(amount, currency).plain() == written


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("19.999", "USD", "too_many_decimals"),
        ("0.5", "JPY", "too_many_decimals"),
        ("0.0005", "KWD", "too_many_decimals"),
        # Decimal arithmetic would round this to 1.00 without a word.
        ("1." + "0" * 30 + "1", "USD", "too_many_decimals"),
        (Decimal("1E-400"), "USD", "too_many_decimals"),
        (Decimal("1E+400"), "USD", "amount_too_large"),
        ("90071992547409.92", "USD", "amount_too_large"),
        pytest.param(10**5000, "USD", "amount_too_large", id="a giant int"),
        ("-0.01", "USD", "negative_amount"),
        (Decimal("NaN"), "USD", "not_a_number"),
        (Decimal("Infinity"), "USD", "not_a_number"),
        ("", "USD", "not_a_number"),
        ("1_000", "USD", "not_a_number"),
        (" 1", "USD", "not_a_number"),
        ("1e3", "USD", "not_a_number"),
        ("٣", "USD", "not_a_number"),
        ("1.2.3", "USD", "not_a_number"),
        ("1", "EURO", "unknown_currency"),
        ("1", "eur", "unknown_currency"),
    ],
)
def test_what_is_no_exact_amount_is_refused_by_name(
    amount: Decimal | int | str, currency: str, code: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Money.parse(amount, currency)

    assert refusal.value.code == code


@pytest.mark.parametrize("amount", [0.1, True, None])
def test_a_float_has_lost_the_amount_already(amount: object) -> None:
    with pytest.raises(TypeError):
        Money.parse(amount, "USD")  # type: ignore[arg-type] # The wrong type is the point.


def test_the_currency_table_is_that_of_iso_4217() -> None:
    assert {c.code: c.exponent for c in Currency if c.exponent is not None} == DECIMALS
