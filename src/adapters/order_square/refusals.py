"""Square's error codes, as far as they are a certain no."""

from typing import Final

from order_core.outcomes import Declined

_REASONS: Final = {
    "INSUFFICIENT_FUNDS": "insufficient_funds",
    "CARD_EXPIRED": "expired_card",
    "BAD_EXPIRATION": "expired_card",
    "INVALID_EXPIRATION": "expired_card",
    "INVALID_EXPIRATION_DATE": "expired_card",
    "INVALID_EXPIRATION_YEAR": "expired_card",
    "EXPIRATION_FAILURE": "expired_card",
    "CVV_FAILURE": "incorrect_cvc",
    "VERIFY_CVV_FAILURE": "incorrect_cvc",
    "ADDRESS_VERIFICATION_FAILURE": "incorrect_address",
    "VERIFY_AVS_FAILURE": "incorrect_address",
    "INVALID_POSTAL_CODE": "incorrect_address",
    "GENERIC_DECLINE": "card_declined",
    "CARD_DECLINED": "card_declined",
    "CARD_DECLINED_CALL_ISSUER": "card_declined",
    # The page that made the token must verify the buyer and make a new one; this payment is dead.
    "CARD_DECLINED_VERIFICATION_REQUIRED": "authentication_required",
    "TRANSACTION_LIMIT": "limit_exceeded",
    "PAYMENT_LIMIT_EXCEEDED": "limit_exceeded",
}
_RETRYABLE: Final = frozenset(
    {"INSUFFICIENT_FUNDS", "CARD_DECLINED_VERIFICATION_REQUIRED", "REFUND_DECLINED"}
)
_OTHERS: Final = frozenset(
    {
        "ACCOUNT_UNUSABLE",
        "ALLOWABLE_PIN_TRIES_EXCEEDED",
        "AMOUNT_TOO_HIGH",
        "BUYER_REFUSED_PAYMENT",
        "CARDHOLDER_INSUFFICIENT_PERMISSIONS",
        "CARD_NOT_SUPPORTED",
        "CARD_TOKEN_EXPIRED",
        "CURRENCY_MISMATCH",
        "CUSTOMER_NOT_FOUND",
        "DELAYED_TRANSACTION_CANCELED",
        "DELAYED_TRANSACTION_EXPIRED",
        "DELAYED_TRANSACTION_FAILED",
        "EXPECTED_INTEGER",
        "EXPECTED_OBJECT",
        "EXPECTED_STRING",
        "GIFT_CARD_AVAILABLE_AMOUNT",
        "INSUFFICIENT_PERMISSIONS",
        "INVALID_ACCOUNT",
        "INVALID_CARD",
        "INVALID_CARD_DATA",
        "INVALID_ENCRYPTED_CARD",
        "INVALID_ENUM_VALUE",
        "INVALID_LOCATION",
        "INVALID_PIN",
        "INVALID_VALUE",
        "LOCATION_MISMATCH",
        "MANUALLY_ENTERED_PAYMENT_NOT_SUPPORTED",
        "MISSING_REQUIRED_PARAMETER",
        "NOT_FOUND",
        "PAN_FAILURE",
        "PAYMENT_NOT_REFUNDABLE",
        "PAYMENT_NOT_REFUNDABLE_DUE_TO_DISPUTE",
        "REFUND_AMOUNT_INVALID",
        "REFUND_DECLINED",
        "REFUND_ERROR_PAYMENT_NEEDS_COMPLETION",
        "SOURCE_EXPIRED",
        "UNSUPPORTED_CARD_BRAND",
        "UNSUPPORTED_CURRENCY",
        "UNSUPPORTED_ENTRY_METHOD",
        "UNSUPPORTED_INSTRUMENT_TYPE",
        "UNSUPPORTED_SOURCE_TYPE",
        "VALUE_TOO_HIGH",
        "VALUE_TOO_LONG",
        "VALUE_TOO_LOW",
        "VOICE_FAILURE",
    }
)
"""Not here, because an earlier request of ours may be why: CARD_TOKEN_USED, SOURCE_USED,
IDEMPOTENCY_KEY_REUSED, REFUND_ALREADY_PENDING, DELAYED_TRANSACTION_CAPTURED, BAD_REQUEST."""


def declined(code: str | None, reference: str | None = None) -> Declined | None:
    """The refusal that `code` is; None if it is not certainly one."""
    if code in _REASONS:
        reason = _REASONS[code]
    elif code in _OTHERS:
        reason = code.lower()
    else:
        return None
    return Declined(reason, retryable=code in _RETRYABLE, reference=reference)
