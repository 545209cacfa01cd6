"""Whatever is written into a quote or a catalogue, the answer is a clear no."""

import contextlib
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from order_core.errors import InvalidValue, PriceMismatch, QuoteRefused
from order_core.order_item import OrderItem
from order_core.quotes import Quotes
from order_memory.contracts.prices import PRICES
from order_prices import CatalogueInvalid
from order_prices.catalogue import read_catalogue
from tests.unit.quotes_of_a_shop import QuotingShop, signed

LAMP = (OrderItem("lamp", 1, PRICES["lamp"]),)
A_FEW = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
values = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.sampled_from(["lamp", "49.99", "EUR", "ann", ""])
    | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["product_id", "price", "currency", "exp", "nbf", "sub", "items", "max_quantity", "other"]


async def no_other_answer(quotes: Quotes) -> None:
    try:
        await QuotingShop().prices.verify(LAMP, customer_id="ann", quotes=quotes)
    except (QuoteRefused, PriceMismatch):
        return


@given(changes=some.dictionaries(some.sampled_from(NAMES), values, max_size=4))
@A_FEW
async def test_no_signed_claims_raise_anything_else(changes: dict[str, Any]) -> None:
    quote = signed(QuotingShop().claims("lamp") | changes)

    try:
        of_an_item, of_the_order = Quotes(items=(quote,)), Quotes(quote)
    except InvalidValue:
        # What is said in many words makes a quote too long, which is a clear no, too.
        return
    await no_other_answer(of_an_item)
    await no_other_answer(of_the_order)


@given(text=some.text(max_size=60) | some.from_regex(r"[\w-]{1,30}\.[\w-]{1,30}\.[\w-]{0,30}"))
@A_FEW
async def test_no_text_raises_anything_else(text: str) -> None:
    try:
        quotes = Quotes(items=(text,))
    except InvalidValue:
        return
    await no_other_answer(quotes)


@given(
    entries=some.lists(some.dictionaries(some.sampled_from(NAMES[:3]), values) | values, max_size=3)
)
@A_FEW
def test_no_catalogue_raises_anything_else(entries: list[Any]) -> None:
    text = json.dumps(entries, indent=1).encode()
    for written in (text, text[: len(text) // 2], text.replace(b" ", b"\xff", 1)):
        with contextlib.suppress(CatalogueInvalid):
            read_catalogue(written)
