"""Which events of an order hold words of a person's: the same question to both databases."""

from typing import Final

from order_core.events import Reviewed

ERASED: Final = "erased"
"""What stands where the words stood."""

HAS_NOTE: Final = f"w.name = '{Reviewed.name}'"
"""Of the row `w` of `order_events`: whether staff wrote a note into it."""
