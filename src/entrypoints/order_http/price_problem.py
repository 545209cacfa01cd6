"""The answer to prices that are not the shop's: which, and what the right ones are."""

from typing import Final

import orjson

from order_core.errors import PriceMismatch, WrongPrice
from order_http.problems import FieldError, Problem, all_named

_FIELD: Final = {
    "price_mismatch": "price",
    "currency_mismatch": "price",
    "product_unknown": "product_id",
}


def price_mismatch(error: PriceMismatch) -> Problem:
    """Every wrong item by its place; the right prices for programs, of all that have one."""
    return all_named(
        "price_mismatch",
        [
            FieldError(_pointer(wrong), wrong.code, f"the product {wrong.because}")
            for wrong in error.wrong
        ],
        {
            "right_prices": [
                {
                    "pointer": _pointer(wrong),
                    # As text that is a number already, so that no float touches it.
                    "price": orjson.Fragment(wrong.price),
                    "currency": wrong.currency,
                }
                for wrong in error.wrong
                if wrong.price is not None
            ]
        },
    )


def _pointer(wrong: WrongPrice) -> str:
    return f"/items/{wrong.index}/{_FIELD[wrong.code]}"
