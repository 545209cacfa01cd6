"""A parcel of an order: who carries it, and under which number it can be followed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from order_core.errors import InvalidValue
from order_core.text import checked_text

LONGEST_CARRIER: Final = 100
LONGEST_TRACKING_NUMBER: Final = 100
MAX_SHIPMENTS: Final = 50
"""The most parcels of one order."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """One parcel that left.

    Raises:
        InvalidValue: carrier or tracking number is empty, too long or no plain text.
    """

    id: str
    carrier: str
    tracking_number: str
    shipped_at: datetime

    def __post_init__(self) -> None:
        _one_line(self.carrier, "carrier", longest=LONGEST_CARRIER)
        _one_line(self.tracking_number, "tracking_number", longest=LONGEST_TRACKING_NUMBER)


def _one_line(value: str, field: str, *, longest: int) -> None:
    checked_text(value, field, longest=longest)
    if len(value.splitlines()) > 1 or value != value.strip():
        raise InvalidValue((field,), "not_one_line", "must be one line, without blanks around it")
