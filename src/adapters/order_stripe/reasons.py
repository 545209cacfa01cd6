"""Why a card was declined, in words that a customer may read."""

import re
from typing import Final

# https://docs.stripe.com/declines/codes: "present as a generic decline", lest the thief learn.
_KEPT_QUIET: Final = frozenset(
    {
        "fraudulent",
        "lost_card",
        "merchant_blacklist",
        "pickup_card",
        "restricted_card",
        "security_violation",
        "stolen_card",
        "stop_payment_order",
    }
)
_RETRYABLE: Final = frozenset(
    {
        "approve_with_id",
        "insufficient_funds",
        "issuer_not_available",
        "processing_error",
        "reenter_transaction",
        "try_again_later",
        "card_velocity_exceeded",
    }
)
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)


def decline_reason(code: object) -> str:
    """A stable word for Stripe's code."""
    if not isinstance(code, str) or not _WORD.fullmatch(code):
        return "declined"
    return "generic_decline" if code in _KEPT_QUIET else code


def is_retryable(code: object) -> bool:
    """Whether the same card may be answered differently, under a new key."""
    return code in _RETRYABLE
