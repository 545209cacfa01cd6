"""A changed copy is what `dataclasses.replace` makes, only sooner."""

import dataclasses
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_core.errors import InvalidValue
from order_core.immutable import replace
from order_core.money import Money
from order_core.payment import PaymentTransaction


@dataclass(frozen=True, slots=True)
class Parcel:
    weight_grams: int
    label: str = "fragile"
    inside: tuple[str, ...] = ()


@dataclass
class Shelf:
    place: int


def test_what_is_not_changed_stays_the_same_object() -> None:
    inside = ("teapot", "cup")
    parcel = Parcel(1250, inside=inside)

    changed = replace(parcel, weight_grams=900)

    assert changed == Parcel(900, "fragile", inside)
    assert changed.inside is inside
    assert parcel.weight_grams == 1250


def test_the_copy_is_as_immutable_as_the_first() -> None:
    changed = replace(Parcel(1), label="heavy")

    with pytest.raises(FrozenInstanceError):
        changed.label = "light"  # type: ignore[misc]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        replace(Parcel(1), colour="red")  # type: ignore[call-arg]


def test_values_that_check_themselves_are_checked_again() -> None:
    with pytest.raises(InvalidValue):
        replace(Money(100, "EUR"), currency="euro")


def test_values_without_slots_are_copied_too() -> None:
    assert replace(Shelf(3), place=4) == Shelf(4)


@dataclass(frozen=True, slots=True)
class HeavyParcel(Parcel):
    lifted_by: str = "two people"


@dataclass(frozen=True, slots=True)
class Label:
    text: str


def test_values_of_a_class_with_an_ancestor_are_copied_too() -> None:
    assert replace(HeavyParcel(1), weight_grams=2) == HeavyParcel(2)
    assert type(replace(HeavyParcel(1))) is HeavyParcel


def test_values_with_a_single_field_are_copied_too() -> None:
    assert replace(Label("tea"), text="mug") == Label("mug")


NAMES = [field.name for field in dataclasses.fields(PaymentTransaction)]


@given(st.dictionaries(st.sampled_from(NAMES), st.integers()))
def test_payments_are_copied_as_the_standard_library_copies_them(changes: dict[str, Any]) -> None:
    payment: Any = PaymentTransaction(**{name: (name,) for name in NAMES})  # type: ignore[arg-type]

    changed = replace(payment, **changes)

    assert all(
        getattr(changed, name) == getattr(dataclasses.replace(payment, **changes), name)
        for name in NAMES
    )
