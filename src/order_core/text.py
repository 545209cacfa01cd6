"""Which text may enter an order."""

import re
from typing import Final

from order_core.errors import InvalidValue

_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def checked_text(value: str, *field: str | int, longest: int) -> str:
    """`value` itself, when it is between 1 and `longest` storable characters.

    Raises:
        InvalidValue: empty, too long, or with a character that a database, a mail
            or a parcel label cannot hold (NUL, control characters, lone surrogates).
    """
    if not value.strip():
        raise InvalidValue(field, "empty", "must not be empty")
    if len(value) > longest:
        raise InvalidValue(field, "too_long", f"must not be longer than {longest} characters")
    # Nearly all text is printable, and that is asked in a third of the time.
    if not value.isprintable() and _FORBIDDEN.search(value):
        raise InvalidValue(
            field, "forbidden_character", "must not contain control characters or lone surrogates"
        )
    return value
