"""What a person can decide about a payment that contradicts what we asked for."""

from enum import StrEnum
from typing import Final

LONGEST_NOTE: Final = 2000
"""Of what he writes beside it: in characters."""

ENDED_BY_REVIEW: Final = "ended_by_review"
"""The reason of what has ended by a person's word."""


class ReviewDecision(StrEnum):
    """What a person can decide."""

    ACCEPT = "accept"
    """It is all right as it is: what the provider did counts."""
    REFUND = "refund"
    """What the provider took goes back."""
    REFUNDED_OTHERWISE = "refunded_otherwise"
    """A refund was refused, or came back, and its buyer has the money another way by now."""
    NEVER_HAPPENED = "never_happened"
    """The provider was looked at, and has no trace of what nobody could ask about, or only a
    payment that is another's."""
    HOLD_ENDED = "hold_ended"
    """A void was refused, or nobody knows what became of it: what it was to let go has ended at
    the provider, which did not tell."""
    DISPUTE_WON = "dispute_won"
    """An open dispute has ended for us, and the provider did not tell."""
    DISPUTE_LOST = "dispute_lost"
    """An open dispute has ended against us, and the provider did not tell."""
    NOTE = "note"
    """Nothing yet, but this should be known."""
