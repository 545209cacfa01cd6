"""Where the goods go."""

from dataclasses import dataclass
from typing import Final

from order_core.errors import InvalidValue
from order_core.text import checked_text

LONGEST_ADDRESS: Final = 2000
MAX_ADDRESS_LINES: Final = 20
LONGEST_LINE_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class ShippingAddress:
    """Where the goods go: free text, or lines under the names that the shop uses.

    Order-core hands it on as it came and never reads it, so it prescribes no country's form.

    Raises:
        InvalidValue: nothing in it, too many lines, or more than `LONGEST_ADDRESS` characters.
    """

    lines: str | tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if isinstance(self.lines, str):
            checked_text(self.lines, longest=LONGEST_ADDRESS)
            return
        if not 1 <= len(self.lines) <= MAX_ADDRESS_LINES:
            raise InvalidValue(
                (), "address_lines", f"must have between 1 and {MAX_ADDRESS_LINES} lines"
            )
        characters = 0
        for name, line in self.lines:
            checked_text(name, longest=LONGEST_LINE_NAME)
            checked_text(line, name, longest=LONGEST_ADDRESS)
            characters += len(name) + len(line)
        if characters > LONGEST_ADDRESS:
            raise InvalidValue((), "too_long", f"must not exceed {LONGEST_ADDRESS} characters")
