"""Quotes prove prices; they are no part of what is ordered, and expire while orders live."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from order_core.errors import (
    IdempotencyKeyReused,
    InvalidValue,
    PossibleDuplicate,
    PriceMismatch,
    QuoteRefused,
)
from order_core.money import Money
from order_core.order_item import OrderItem
from order_core.order_status import OrderStatus
from order_core.quotes import LONGEST_CART_QUOTE, LONGEST_ITEM_QUOTE, Quotes
from order_memory import CataloguePrices

KETTLE = (OrderItem("kettle", 1, Money(3995, "EUR")),)


class GoodUntil:
    """Believes quotes that are the time of day until which they hold."""

    def __init__(self, shop: Any) -> None:
        self._shop = shop

    async def verify(
        self, items: tuple[OrderItem, ...], /, *, customer_id: str, quotes: Quotes
    ) -> None:
        for index, _ in enumerate(items):
            until = datetime.fromisoformat(quotes.of_item(index) or "1970-01-01T00:00+00:00")
            if self._shop.clock.now() >= until:
                raise QuoteRefused(InvalidValue(("items", index, "quote"), "quote_expired", "late"))


@pytest.fixture
def quoting(shop: Any) -> Any:
    shop.core = shop.assembled(prices=GoodUntil(shop))
    return shop


def for_a_minute(shop: Any) -> Quotes:
    return Quotes(items=((shop.clock.now() + timedelta(minutes=1)).isoformat(),))


async def test_a_repeat_whose_quote_has_expired_gets_the_order_as_it_is(quoting: Any) -> None:
    quotes = for_a_minute(quoting)
    opened = await quoting.place(
        key="k-61", items=KETTLE, quotes=quotes, payment_method="lost_answer"
    )
    await quoting.work_until(passed=timedelta(minutes=5))
    repeated = await quoting.place(
        key="k-61", items=KETTLE, quotes=quotes, payment_method="lost_answer"
    )

    assert opened.status is OrderStatus.AWAITING_PAYMENT
    assert (repeated.id, repeated.status) == (opened.id, OrderStatus.PENDING)
    assert quoting.net_minor_units_at_the_provider() == 3995


@pytest.mark.parametrize("renewed", [True, False])
async def test_a_repeat_with_a_renewed_quote_or_none_is_the_same_request(
    quoting: Any, renewed: bool
) -> None:
    first = await quoting.place(key="k-62", items=KETTLE, quotes=for_a_minute(quoting))
    quoting.clock.advance(timedelta(seconds=45))
    quotes = for_a_minute(quoting) if renewed else Quotes()

    assert await quoting.place(key="k-62", items=KETTLE, quotes=quotes) == first
    assert len(quoting.gateway.asked) == 1


async def test_a_renewed_quote_does_not_make_a_second_click_a_second_order(quoting: Any) -> None:
    await quoting.place(items=KETTLE, quotes=for_a_minute(quoting))
    quoting.clock.advance(timedelta(seconds=3))

    with pytest.raises(PossibleDuplicate):
        await quoting.place(items=KETTLE, quotes=for_a_minute(quoting))
    assert len(quoting.gateway.asked) == 1


async def test_an_expired_quote_takes_no_money_and_leaves_the_key_free(quoting: Any) -> None:
    expired = for_a_minute(quoting)
    quoting.clock.advance(timedelta(minutes=1))
    with pytest.raises(QuoteRefused):
        await quoting.place(key="k-63", items=KETTLE, quotes=expired)
    assert quoting.all_orders == []

    order = await quoting.place(key="k-63", items=KETTLE, quotes=for_a_minute(quoting))
    assert order.status is OrderStatus.PENDING


async def test_a_repeat_at_another_price_is_another_request_whatever_is_quoted(
    quoting: Any,
) -> None:
    await quoting.place(key="k-64", items=KETTLE, quotes=for_a_minute(quoting))
    cheaper = (OrderItem("kettle", 1, Money(3895, "EUR")),)

    for quotes in (for_a_minute(quoting), Quotes()):
        with pytest.raises(IdempotencyKeyReused):
            await quoting.place(key="k-64", items=cheaper, quotes=quotes)


async def test_what_was_verified_is_what_is_charged(shop: Any) -> None:
    shop.core = shop.assembled(
        prices=CataloguePrices({"kettle": Money(3995, "EUR"), "filter": Money(249, "EUR")})
    )
    items = (*KETTLE, OrderItem("filter", 12, Money(249, "EUR")))
    order = await shop.place(items=items)

    assert order.total == Money(3995 + 12 * 249, "EUR")
    assert [asked.amount for asked in shop.gateway.asked] == [order.total]


async def test_a_mismatch_names_every_wrong_item_and_takes_nothing(shop: Any) -> None:
    shop.core = shop.assembled(prices=CataloguePrices({"kettle": Money(3995, "EUR")}))
    items = (*KETTLE, OrderItem("kettle", 2, Money(1, "EUR")), OrderItem("cup", 1, Money(5, "EUR")))

    with pytest.raises(PriceMismatch) as refusal:
        await shop.place(items=items)

    assert [(wrong.index, wrong.price) for wrong in refusal.value.wrong] == [
        (1, "39.95"),
        (2, None),
    ]
    assert str(refusal.value) == "Item 1: kettle costs 39.95 EUR (and 1 more)."
    assert shop.gateway.asked == ()


def test_a_quote_is_shown_to_nobody_who_prints_it(shop: Any) -> None:
    assert "secret" not in repr(Quotes("secret-cart", ("secret-item",)))


@pytest.mark.parametrize(
    ("quotes", "place"),
    [
        ({"cart": "q" * (LONGEST_CART_QUOTE + 1)}, ("quote",)),
        ({"cart": ""}, ("quote",)),
        ({"items": (None, "q" * (LONGEST_ITEM_QUOTE + 1))}, ("items", 1, "quote")),
        ({"items": ("",)}, ("items", 0, "quote")),
    ],
)
def test_a_quote_has_a_bounded_length(quotes: dict[str, Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Quotes(**quotes)

    assert refusal.value.field == place
    Quotes("q" * LONGEST_CART_QUOTE, (None, "q" * LONGEST_ITEM_QUOTE))
