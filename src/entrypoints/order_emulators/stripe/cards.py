"""Stripe's documented test payment methods, and what they do.

Source: https://docs.stripe.com/testing. Where sources spell a name in two ways, both are
here. Any other id of the form `pm_1...` is a card that a customer's page has just made, and
`tok_1...` a token of one: each pays once.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Card:
    """What happens when it is charged."""

    code: str | None = None
    """Why it is declined."""
    decline_code: str | None = None
    asks_buyer: bool = False
    refund: str = "succeeded"
    """The status of a refund when it is made."""
    disputed_as: str | None = None
    """The status of the dispute that follows the payment."""
    pays_once: bool = False


def _declined(decline_code: str) -> Card:
    return Card("card_declined", decline_code)


_BY_NAME: Final = {
    "visa": Card(),
    "visa_debit": Card(),
    "mastercard": Card(),
    "mastercard_debit": Card(),
    "amex": Card(),
    "visa_chargeDeclined": _declined("generic_decline"),
    "chargeDeclined": _declined("generic_decline"),
    "visa_chargeDeclinedInsufficientFunds": _declined("insufficient_funds"),
    "chargeDeclinedInsufficientFunds": _declined("insufficient_funds"),
    "visa_chargeDeclinedLostCard": _declined("lost_card"),
    "visa_chargeDeclinedStolenCard": _declined("stolen_card"),
    "chargeDeclinedFraudulent": _declined("fraudulent"),
    "chargeDeclinedExpiredCard": Card("expired_card", "expired_card"),
    "visa_chargeDeclinedExpiredCard": Card("expired_card", "expired_card"),
    "chargeDeclinedIncorrectCvc": Card("incorrect_cvc", "incorrect_cvc"),
    "visa_chargeDeclinedIncorrectCvc": Card("incorrect_cvc", "incorrect_cvc"),
    "chargeDeclinedProcessingError": Card("processing_error", "processing_error"),
    "visa_chargeDeclinedProcessingError": Card("processing_error", "processing_error"),
    "chargeCustomerFail": _declined("generic_decline"),
    "authenticationRequired": Card(asks_buyer=True),
    "threeDSecure2Required": Card(asks_buyer=True),
    "pendingRefund": Card(refund="pending"),
    "refundFail": Card(),
    "createDispute": Card(disputed_as="needs_response"),
    "createDisputeInquiry": Card(disputed_as="warning_needs_response"),
}
_MADE_BY_A_PAGE: Final = re.compile(r"(pm|tok)_1[A-Za-z0-9]{4,200}", re.ASCII)
_ONCE: Final = Card(pays_once=True)


def card(method: str) -> Card | None:
    """The card behind a payment method or token; None if there is none."""
    for prefix in ("pm_card_", "tok_"):
        known = _BY_NAME.get(method.removeprefix(prefix)) if method.startswith(prefix) else None
        if known:
            return known
    return _ONCE if _MADE_BY_A_PAGE.fullmatch(method) else None
