"""What is left of a limit for one of those whom it counts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """The present state of one count."""

    policy: str
    amount: int
    """So often it may happen..."""
    window_seconds: int
    """...within this time."""
    remaining: int
    wait_seconds: int
    """Until more is left than now; 0 when nothing was counted."""
