"""Shops whose provider, buyers and clock follow the schedule of an incident."""

from collections.abc import Callable

import pytest

from order_core import Policy
from tests.unit.incidents.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def make_shop() -> Callable[..., Shop]:
    return lambda **policy: Shop(Policy(**policy))
