"""Recognises a card number, which must never reach this service."""

import re
from typing import Final

_RUN: Final = re.compile(r"\d+(?:[\s.\-\u2010-\u2015]\d+)*")
_SHORTEST: Final = 13
_LONGEST: Final = 19


def holds_card_number(text: str) -> bool:
    """Whether 13 to 19 digits in `text`, in groups or not, pass the check of card numbers."""
    for run in _RUN.finditer(text):
        groups = re.findall(r"\d+", run[0])
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                digits += group
                if len(digits) > _LONGEST:
                    break
                if len(digits) >= _SHORTEST and _passes_luhn(digits):
                    return True
    return False


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)  # noqa: PLR2004 - the digit sum of two digits
    return total % 10 == 0
