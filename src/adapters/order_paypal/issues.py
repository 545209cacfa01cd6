"""What PayPal's error codes (`details[].issue`) mean for the money.

Source: PayPal's OpenAPI descriptions of Orders v2 and Payments v2, edition of 2024-02. A code
that is not in these tables decides nothing: the outcome is unknown until a look-up shows it.
"""

from types import MappingProxyType
from typing import Final

_PAYMENT_METHOD: Final = "payment_method_refused"
_ACCOUNT: Final = "account_restricted"
_REFUSED: Final = "refused_by_provider"

DECLINED: Final = MappingProxyType(
    {
        "AGREEMENT_ALREADY_CANCELLED": _PAYMENT_METHOD,
        "AUTHORIZATION_DENIED": "declined",
        "AUTHORIZATION_EXPIRED": "authorization_expired",
        "AUTH_CAPTURE_CURRENCY_MISMATCH": "currency_differs",
        "BILLING_AGREEMENT_NOT_FOUND": _PAYMENT_METHOD,
        "CARD_BRAND_NOT_SUPPORTED": _PAYMENT_METHOD,
        "CARD_EXPIRED": "expired_card",
        "COMPLIANCE_VIOLATION": _REFUSED,
        "CURRENCY_MISMATCH": "currency_differs",
        "DECLINED_DUE_TO_RELATED_TXN": "declined",
        "DOMESTIC_TRANSACTION_REQUIRED": _REFUSED,
        "INSTRUMENT_DECLINED": "declined",
        "MAX_CAPTURE_AMOUNT_EXCEEDED": "capture_exceeds_authorization",
        "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": "too_many_attempts",
        "MISMATCHED_VAULT_ID_TO_PAYMENT_SOURCE": _PAYMENT_METHOD,
        "ORDER_EXPIRED": "order_expired",
        "PARTIAL_REFUND_NOT_ALLOWED": "refund_refused",
        "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": _ACCOUNT,
        "PAYEE_ACCOUNT_RESTRICTED": _ACCOUNT,
        "PAYEE_BLOCKED_TRANSACTION": _REFUSED,
        "PAYER_ACCOUNT_LOCKED_OR_CLOSED": _ACCOUNT,
        "PAYER_ACCOUNT_RESTRICTED": _ACCOUNT,
        "PAYER_CANNOT_PAY": "payer_cannot_pay",
        "PAYMENT_SOURCE_DECLINED_BY_PROCESSOR": "declined",
        "PAYMENT_SOURCE_NOT_SUPPORTED": _PAYMENT_METHOD,
        "PENDING_CAPTURE": "capture_pending",
        "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": "declined",
        "REFERENCED_CARD_EXPIRED": "expired_card",
        "REFUND_AMOUNT_EXCEEDED": "refund_exceeds_capture",
        "REFUND_AMOUNT_TOO_LOW": "refund_refused",
        "REFUND_CAPTURE_CURRENCY_MISMATCH": "currency_differs",
        "REFUND_FAILED_INSUFFICIENT_FUNDS": "shop_has_insufficient_funds",
        "REFUND_IS_RESTRICTED": "refund_refused",
        "REFUND_NOT_ALLOWED": "refund_refused",
        "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": "disputed",
        "REFUND_TIME_LIMIT_EXCEEDED": "too_late_to_refund",
        "TOKEN_EXPIRED": _PAYMENT_METHOD,
        "TOKEN_ID_NOT_FOUND": _PAYMENT_METHOD,
        "TRANSACTION_BLOCKED_BY_PAYEE": _REFUSED,
        "TRANSACTION_DISPUTED": "disputed",
        "TRANSACTION_LIMIT_EXCEEDED": "limit_exceeded",
        "TRANSACTION_RECEIVING_LIMIT_EXCEEDED": "limit_exceeded",
        "TRANSACTION_REFUSED": "declined",
    }
)
"""Nothing moved, and this request can never move it."""

RETRYABLE: Final = frozenset(
    {"PENDING_CAPTURE", "REFUND_FAILED_INSUFFICIENT_FUNDS", "TRANSACTION_LIMIT_EXCEEDED"}
)
"""Those of them that another attempt, later, may not meet."""

RUNNING: Final = frozenset({"ORDER_COMPLETION_IN_PROGRESS", "PREVIOUS_REQUEST_IN_PROGRESS"})

BUYER_MUST_ACT: Final = frozenset({"PAYER_ACTION_REQUIRED", "ORDER_NOT_APPROVED"})

DONE_BEFORE: Final = frozenset(
    {
        "AUTHORIZATION_ALREADY_CAPTURED",
        "AUTHORIZATION_VOIDED",
        "CAPTURE_FULLY_REFUNDED",
        "DUPLICATE_INVOICE_ID",
        "MAX_AUTHORIZATION_COUNT_EXCEEDED",
        "MAX_CAPTURE_COUNT_EXCEEDED",
        "ORDER_ALREADY_AUTHORIZED",
        "ORDER_ALREADY_CAPTURED",
        "ORDER_ALREADY_COMPLETED",
        "ORDER_COMPLETED_OR_VOIDED",
        "PREVIOUSLY_CAPTURED",
        "PREVIOUSLY_VOIDED",
    }
)
"""Perhaps by an earlier send of ours: no decline, but a reason to look."""

PROCESSOR_RESPONSES: Final = MappingProxyType(
    {
        "00N7": "incorrect_cvc",
        "0500": "do_not_honor",
        "1330": "invalid_account",
        "5100": "declined",
        "5110": "incorrect_cvc",
        "5120": "insufficient_funds",
        "5180": "invalid_or_restricted_card",
        "5400": "expired_card",
        "5650": "authentication_required",
        "9500": "suspected_fraud",
    }
)
"""Why a card was refused, by `processor_response.response_code`."""

RETRYABLE_RESPONSES: Final = frozenset({"5120"})
