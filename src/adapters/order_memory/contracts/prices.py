"""What whoever knows the prices must do."""

from typing import Final

import pytest

from order_core.errors import PriceMismatch, QuoteRefused
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.ports import Prices
from order_core.quotes import NO_QUOTES, Quotes

PRICES: Final = {"lamp": Money(4999, "EUR"), "bulb": Money(350, "EUR"), "leaflet": Money(0, "EUR")}
"""What the shop of these suites sells, one piece each."""
ANN: Final = "ann"


class PricesContract:
    """Override the fixture `prices`, and `quotes_for` if right prices need proof."""

    @pytest.fixture
    async def prices(self) -> Prices:
        """The adapter under test, of a shop that sells `PRICES`."""
        raise NotImplementedError

    async def quotes_for(self, items: tuple[OrderItem, ...], customer_id: str) -> Quotes:  # noqa: ARG002 - for those who override it
        """Proof of what the shop says that these items cost, whatever they claim."""
        return NO_QUOTES

    async def verify(self, prices: Prices, *items: OrderItem) -> None:
        await prices.verify(items, customer_id=ANN, quotes=await self.quotes_for(items, ANN))

    async def test_the_shops_own_prices_are_right(self, prices: Prices) -> None:
        await self.verify(prices, _lamps(1), _bulbs(12), OrderItem("leaflet", 1, Money(0, "EUR")))

    async def test_a_product_may_stand_on_several_lines(self, prices: Prices) -> None:
        await self.verify(prices, _bulbs(1), _lamps(1), _bulbs(2))

    async def test_right_prices_are_right_again(self, prices: Prices) -> None:
        await self.verify(prices, _bulbs(3))
        await self.verify(prices, _bulbs(3))


class StrictPricesContract(PricesContract):
    """For every adapter that does not simply believe its clients."""

    @pytest.mark.parametrize("claimed", [349, 351, 0, 35_000])
    async def test_any_other_price_is_refused_with_the_right_one(
        self, prices: Prices, claimed: int
    ) -> None:
        wrong = await self.refused(prices, _lamps(1), _bulbs(1, Money(claimed, "EUR")))

        assert wrong == [(1, "price_mismatch", "3.50", "EUR")]

    async def test_the_same_number_in_another_currency_is_refused(self, prices: Prices) -> None:
        wrong = await self.refused(prices, _bulbs(1, Money(350, "USD")))

        assert wrong == [(0, "currency_mismatch", "3.50", "EUR")]

    async def test_every_wrong_price_is_named(self, prices: Prices) -> None:
        cheap = Money(1, "EUR")

        wrong = await self.refused(prices, _bulbs(1, cheap), _lamps(1), _bulbs(2), _lamps(1, cheap))

        assert [(index, price) for index, _, price, _ in wrong] == [(0, "3.50"), (3, "49.99")]

    async def test_a_right_line_does_not_cover_a_wrong_one_of_its_product(
        self, prices: Prices
    ) -> None:
        wrong = await self.refused(prices, _bulbs(1), _bulbs(1, Money(349, "EUR")))

        assert [index for index, *_ in wrong] == [1]

    async def test_what_is_not_sold_has_no_price(self, prices: Prices) -> None:
        items = (_lamps(1), OrderItem("moon", 1, Money(350, "EUR")))

        with pytest.raises((PriceMismatch, QuoteRefused)):
            await self.verify(prices, *items)

    async def refused(
        self, prices: Prices, *items: OrderItem
    ) -> list[tuple[int, str, str | None, str | None]]:
        with pytest.raises(PriceMismatch) as refusal:
            await self.verify(prices, *items)
        return [(each.index, each.code, each.price, each.currency) for each in refusal.value.wrong]


def _lamps(quantity: int, price: Money = PRICES["lamp"]) -> OrderItem:
    return OrderItem("lamp", quantity, price)


def _bulbs(quantity: int, price: Money = PRICES["bulb"]) -> OrderItem:
    return OrderItem("bulb", quantity, price)
