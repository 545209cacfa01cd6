"""What is left of a limit for one of those whom it counts."""

from math import floor
from typing import NamedTuple

from order_limits.rate import Rate


class Quota(NamedTuple):
    """The present state of one count."""

    policy: str
    amount: int
    """So often it may happen..."""
    window_seconds: int
    """...within this time."""
    remaining: int
    wait_seconds: int
    """Until more is left than now; 0 when nothing was counted."""


def quota_of(
    name: str, rate: Rate, *, before: int, before_left: float, present: int, present_left: float
) -> Quota:
    """What is left when `before` were counted in the last window and `present` in this one.

    The former weigh less and less for `before_left` seconds; the latter are forgotten after
    `present_left`.
    """
    window = rate.window_seconds
    counted = floor(before * before_left / window + present)
    if not counted:
        wait = 0
    elif counted > present:
        # One of those before weighs no more.
        wait = floor(before_left - (counted - present) * window / before) + 1
    else:
        # This window ends, and what it counted begins to weigh less.
        wait = floor(present_left - window) + 1
    return Quota(name, rate.amount, window, max(0, rate.amount - counted), max(0, wait))
