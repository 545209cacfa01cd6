"""The payment methods that a customer's page hands over."""

import re
from typing import Final

from order_core.errors import InvalidValue

_ID: Final = "_[A-Za-z0-9_]{1,100}"
_FORM: Final = re.compile(f"pm{_ID}(@cus{_ID})?|tok{_ID}", re.ASCII)


def check_token(token: str) -> None:
    """Refuse what is no payment method of Stripe's.

    Raises:
        InvalidValue: with field `payment_method`.
    """
    if not _FORM.fullmatch(token):
        raise InvalidValue(
            ("payment_method",),
            "unknown_payment_method",
            "must be a Stripe payment method (pm_..., or pm_...@cus_... for a kept one) "
            "or token (tok_...)",
        )


def is_single_use(token: str) -> bool:
    """A token pays once; a payment method may be kept with a customer, and pays often."""
    return token.startswith("tok_")
