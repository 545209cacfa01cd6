"""What a row holds may not be readable: written past our code, or by a newer program.

One such row must not stop what is done for all the others.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from order_core.errors import OrderCoreError
from order_sqlalchemy.mapping import Row

UNREADABLE: Final = (OrderCoreError, ValueError, TypeError, LookupError, ArithmeticError)

_log = logging.getLogger(__name__)
_Read = TypeVar("_Read")


def readable(
    rows: Iterable[Row], read: Callable[[Row], _Read], *, name: Callable[[Row], object]
) -> list[_Read]:
    """Every row that can be read. The others are left out, and reported by `name` alone.

    What such a row holds is not logged: it may be anything, a secret too.
    """
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except UNREADABLE as error:
            _log.error("%s cannot be read (%s): see verify", name(row), type(error).__name__)
    return found
