"""The payment methods that a client may hand over.

Square's words CASH and EXTERNAL are sources too: they *record* money that somebody claims to
have, and would make an unpaid order paid. So only the tokens listed here are let through.
"""

import re
from dataclasses import dataclass
from typing import Final

from order_core.errors import InvalidValue

_ONCE: Final = r"(?:cnon|wnon|bnon):[A-Za-z0-9_-]{1,192}"
_ON_FILE: Final = r"(?P<card>ccof:[A-Za-z0-9_-]{1,192})(?:@(?P<customer>[A-Za-z0-9_-]{1,191}))?"
_TOKEN: Final = re.compile(rf"(?P<once>{_ONCE})|{_ON_FILE}")


@dataclass(frozen=True, slots=True)
class Source:
    """What is charged; a card on file belongs to a customer at Square."""

    id: str
    customer: str | None = None


def source(token: str) -> Source:
    """The source that `token` names.

    `cnon:`, `wnon:` and `bnon:` (card, wallet, bank account) come from Square's page script and
    pay once; `ccof:CARD@CUSTOMER` is a card on file and pays often.

    Raises:
        InvalidValue: with field `payment_method`. The token is not repeated.
    """
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise InvalidValue(
            ("payment_method",),
            "unknown_payment_method",
            "must be a Square token: cnon:..., wnon:..., bnon:... or ccof:CARD@CUSTOMER",
        )
    return Source(match["once"] or match["card"], match["customer"])


def pays_once(token: str) -> bool:
    """Whether Square takes the token for one payment only."""
    return not token.startswith("ccof:")
