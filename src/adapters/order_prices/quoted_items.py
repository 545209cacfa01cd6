"""Items beside the quotes that they carry."""

from collections import Counter
from collections.abc import Sequence

from order_core.errors import InvalidValue, PriceMismatch, QuoteRefused
from order_core.order_item import OrderItem
from order_core.price_check import wrong_price
from order_prices.quote import ItemQuote


def check_products(items: Sequence[OrderItem], proofs: Sequence[ItemQuote]) -> None:
    """Refuse a quote that an item borrowed from another product.

    Raises:
        QuoteRefused: with every one.
    """
    because = "is for another product"
    _raise_if_any(
        [
            InvalidValue(("items", index, "quote"), "quote_of_another_product", because)
            for index, (item, proof) in enumerate(zip(items, proofs, strict=True))
            if item.product_id != proof.product_id
        ]
    )


def check_quoted_prices(items: Sequence[OrderItem], proofs: Sequence[ItemQuote]) -> None:
    """Compare the price of each item with the one that its own quote proves.

    Raises:
        PriceMismatch: with every item that differs.
    """
    found = (
        wrong_price(index, item, {proof.price.currency: proof.price})
        for index, (item, proof) in enumerate(zip(items, proofs, strict=True))
    )
    if wrong := [each for each in found if each is not None]:
        raise PriceMismatch(*wrong)


def check_limits(items: Sequence[OrderItem], proofs: Sequence[ItemQuote]) -> None:
    """Hold quantities against what the quotes allow.

    All lines of a product at one price count together, and each line's limits hold for their
    sum: else a limit would end where the next line begins.

    Raises:
        QuoteRefused: with every line whose quote allows another quantity only.
    """
    together: Counter[tuple[str, int]] = Counter()
    for item in items:
        together[_kind(item)] += item.quantity
    refusals = []
    for index, (item, proof) in enumerate(zip(items, proofs, strict=True)):
        if proof.at_least <= together[_kind(item)] <= proof.at_most:
            continue
        allowed = f"at least {proof.at_least} and at most {proof.at_most}"
        because = f"the quote is for {allowed} pieces at this price, on all lines together"
        refusals.append(
            InvalidValue(("items", index, "quantity"), "quote_of_another_quantity", because)
        )
    _raise_if_any(refusals)


def _kind(item: OrderItem) -> tuple[str, int]:
    return item.product_id, item.price.minor_units


def _raise_if_any(refusals: list[InvalidValue]) -> None:
    if refusals:
        raise QuoteRefused(*refusals)
