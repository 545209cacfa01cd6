"""Recognises a card number, which must never reach this service."""

import re
from bisect import bisect_left
from itertools import accumulate
from typing import Final

from order_core.order_request import LONGEST_TOKEN
from order_core.reviewing import LONGEST_NOTE

LONGEST_LOOKED_AT: Final = max(LONGEST_TOKEN, LONGEST_NOTE)
"""Characters. Nothing longer is ever taken, and so nobody has to be told more about it."""

_GAP: Final = r"([\s.\-\u2010-\u2015])"
_AS_ON_A_CARD: Final = re.compile(
    r"(?<![\d+])(?:\d{15,19}"
    rf"|\d{{4}}{_GAP}\d{{4}}(?:\1\d{{4}}){{2}}(?:\1\d{{3}})?"
    rf"|\d{{4}}{_GAP}\d{{6}}\2\d{{5}})(?!\d)"
)
_BEGINS: Final = frozenset({2, 3, 4, 5, 6})
"""The first digits of the numbers of payment cards (ISO/IEC 7812-1)."""
_RUN: Final = re.compile(r"\d+(?:[\s.\-\u2010-\u2015]\d+)*")
_GROUP: Final = re.compile(r"\d+")
_SHORTEST: Final = 13
_LONGEST: Final = 19


def holds_card_number(text: str) -> bool:
    """Whether 13 to 19 digits in `text`, in groups or not, pass the check of card numbers.

    A text above `LONGEST_LOOKED_AT` is not looked at: its reader refuses it for its length.
    """
    if len(text) > LONGEST_LOOKED_AT:
        return False
    return any(_run_holds_one(_GROUP.findall(run[0])) for run in _RUN.finditer(text))


def shows_card_number(text: str) -> bool:
    """Whether `text`, in which other numbers are at home, shows one as it is written on a card.

    In an address stand house numbers, postal codes and telephones beside each other: of all their
    groupings one in ten would pass the check alone.
    """
    for run in _AS_ON_A_CARD.finditer(text):
        digits = "".join(_GROUP.findall(run[0]))
        if int(digits[0]) in _BEGINS and _run_holds_one([digits]):
            return True
    return False


def _run_holds_one(groups: list[str]) -> bool:
    """Whether some groups beside each other do."""
    ends = list(accumulate(map(len, groups)))
    if ends[-1] < _SHORTEST:
        return False
    digits = [int(digit) for group in groups for digit in group]
    # Sums from the beginning, in which every other digit counts double: each check is then one
    # subtraction. A check that adds the digits up anew can be kept busy for minutes.
    sums = [
        list(accumulate((_counts(d, double=n % 2 == odd) for n, d in enumerate(digits)), initial=0))
        for odd in (0, 1)
    ]
    for begin in (0, *ends):
        for place in range(bisect_left(ends, begin + _SHORTEST), len(ends)):
            end = ends[place]
            if end - begin > _LONGEST:
                break
            # The last digit counts once, the one before it double, and so on.
            doubled = sums[end % 2]
            if (doubled[end] - doubled[begin]) % 10 == 0:
                return True
    return False


def _counts(digit: int, *, double: bool) -> int:
    return digit if not double else 2 * digit - 9 * (digit > 4)  # noqa: PLR2004 - two digits then
