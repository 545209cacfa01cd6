"""The prices in memory keep what the port promises."""

import pytest

from order_core.errors import PriceMismatch
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.ports import Prices
from order_core.quotes import NO_QUOTES
from order_memory import CataloguePrices, TrustedPrices
from order_memory.contracts import PricesContract, StrictPricesContract
from order_memory.contracts.prices import PRICES


class TestTrustedPrices(PricesContract):
    @pytest.fixture
    async def prices(self) -> Prices:
        return TrustedPrices()


class TestCataloguePrices(StrictPricesContract):
    @pytest.fixture
    async def prices(self) -> Prices:
        return CataloguePrices(PRICES)


async def test_trusted_prices_are_whatever_is_claimed() -> None:
    items = (OrderItem("moon", 1, Money(1, "EUR")),)

    await TrustedPrices().verify(items, customer_id="ann", quotes=NO_QUOTES)


async def test_a_catalogue_says_what_is_not_for_sale() -> None:
    items = (OrderItem("moon", 1, Money(350, "EUR")),)

    with pytest.raises(PriceMismatch, match="moon is not for sale") as refusal:
        await CataloguePrices(PRICES).verify(items, customer_id="ann", quotes=NO_QUOTES)

    assert [wrong.code for wrong in refusal.value.wrong] == ["product_unknown"]
