"""Fixtures: the pretended Stripe for one test, a gateway that asks it, and their time."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.integration.stripe_wire import Shop, assert_as_documented

NOON = datetime(2030, 5, 4, 12, tzinfo=UTC)


class Time:
    def __init__(self) -> None:
        self.is_now = NOON

    def now(self) -> datetime:
        return self.is_now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def shop(time: Time) -> AsyncIterator[Shop]:
    shop = Shop(now=time.now)
    yield shop
    await shop.close()
    assert_as_documented(shop.wire)
