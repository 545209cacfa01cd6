"""The names of everything that can go wrong, and their HTTP statuses: one table."""

from typing import Final

from order_core import errors

CODES: Final[dict[str, tuple[int, str]]] = {
    "bad_request": (400, "The request cannot be understood"),
    "malformed_json": (400, "The body is not JSON that this service reads"),
    "invalid_idempotency_key": (400, "The Idempotency-Key is not a key"),
    "webhook_rejected": (400, "It is not proven to be the provider's event, or cannot be read"),
    "token_missing": (401, "A bearer token is needed"),
    "invalid_token": (401, "The bearer token proves nothing"),
    "payment_declined": (402, "The payment was declined"),
    "payment_failed": (402, "The payment did not happen"),
    "insufficient_scope": (403, "The token does not permit this"),
    "not_your_order": (403, "The order is another customer's"),
    "order_not_found": (404, "There is no such order"),
    "not_found": (404, "There is nothing at this address"),
    "webhook_not_found": (404, "No events of this provider are received here"),
    "method_not_allowed": (405, "This address does not take this method"),
    "body_too_slow": (408, "The body took too long to arrive"),
    "cannot_cancel": (409, "The order cannot be cancelled any more"),
    "cannot_process": (409, "The order cannot be processed"),
    "cannot_ship": (409, "The order cannot be shipped"),
    "cannot_deliver": (409, "The order cannot be delivered"),
    "cannot_refund": (409, "The order cannot be refunded"),
    "cannot_review": (409, "There is nothing of this to review"),
    "possible_duplicate": (409, "An equal order was placed a moment ago"),
    "payment_method_in_use": (409, "The payment method already pays another order"),
    "request_in_progress": (409, "The first request with this key is still running"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body must be application/json"),
    "invalid_request": (422, "The request breaks a rule"),
    "idempotency_key_reused": (422, "The Idempotency-Key was used for another request"),
    "price_mismatch": (422, "A price is not the shop's price"),
    "quote_refused": (422, "What shall prove a price proves nothing here"),
    "unknown_provider": (422, "There is no such payment provider here"),
    "raw_card_number": (422, "Card numbers are not accepted"),
    "rate_limited": (429, "Too many requests or failures came"),
    "headers_too_large": (431, "The headers are too large"),
    "internal_error": (500, "Something went wrong here"),
    "store_unavailable": (503, "This request was not carried out; try again"),
    "provider_unavailable": (503, "The payment provider cannot be asked at present"),
    "overloaded": (503, "This request was not carried out; try again"),
    "outcome_unknown": (503, "The outcome is not known yet"),
    "token_unverifiable": (503, "The bearer token cannot be checked just now"),
    "webhook_unverifiable": (503, "The event cannot be verified just now"),
    "not_ready": (503, "The service is not ready"),
}
"""Code -> HTTP status and title. A code means one thing for ever."""

CODE_OF_ERROR: Final[dict[type[errors.OrderCoreError], str]] = {
    errors.InvalidValue: "invalid_request",
    errors.OrderNotFound: "order_not_found",
    errors.NotTheOwner: "not_your_order",
    errors.CannotCancel: "cannot_cancel",
    errors.CannotProcess: "cannot_process",
    errors.CannotShip: "cannot_ship",
    errors.CannotDeliver: "cannot_deliver",
    errors.CannotRefund: "cannot_refund",
    errors.CannotReview: "cannot_review",
    errors.PriceMismatch: "price_mismatch",
    errors.QuoteRefused: "quote_refused",
    errors.UnknownProvider: "unknown_provider",
    errors.ProviderUnavailable: "provider_unavailable",
    errors.PossibleDuplicate: "possible_duplicate",
    errors.PaymentMethodInUse: "payment_method_in_use",
    errors.PaymentReferenceTaken: "payment_method_in_use",
    errors.IdempotencyKeyReused: "idempotency_key_reused",
    errors.RequestInProgress: "request_in_progress",
    # Lost again and again: what the last attempt left behind is for a repetition to find.
    errors.ConcurrentUpdate: "outcome_unknown",
    errors.StoreUnavailable: "store_unavailable",
    errors.CommitUnknown: "outcome_unknown",
    errors.WebhookRejected: "webhook_rejected",
    errors.WebhookUnverifiable: "webhook_unverifiable",
    errors.InvalidToken: "invalid_token",
    errors.TokenUnverifiable: "token_unverifiable",
}
"""What each error of the core is called here. One that is missing is a bug: 500."""


def type_of(code: str) -> str:
    """The problem's `type`: the same for ever, so programs may compare it."""
    return f"urn:order-core:problem:{code}"
