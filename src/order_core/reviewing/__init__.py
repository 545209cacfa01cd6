"""A person decides about a payment that contradicts what we asked for: a file a decision."""

from order_core.reviewing.deciding import reviewed
from order_core.reviewing.decision import LONGEST_NOTE, ReviewDecision

__all__ = ["LONGEST_NOTE", "ReviewDecision", "reviewed"]
