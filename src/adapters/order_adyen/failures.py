"""What it means that a call ended without an answer that can be used."""

import requests
from Adyen.exceptions import AdyenAPIResponseError  # type: ignore[import-untyped]
from urllib3.exceptions import MaxRetryError, NewConnectionError

from order_adyen.answers import Unreadable, word
from order_adyen.requests import RequestImpossible
from order_core.outcomes import (
    Declined,
    InProgress,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RateLimited,
)


def outcome_of(failure: Exception) -> Outcome:
    """The outcome of a request that ended with `failure`; nothing of its text is kept."""
    match failure:
        case RequestImpossible():
            return NotSent(str(failure))
        case AdyenAPIResponseError():
            return _answered(failure.status_code, failure.error_code, failure.message)
        case Unreadable():
            return OutcomeUnknown("unreadable_answer")
        case requests.ConnectTimeout():
            return NotSent("ConnectTimeout")
        case requests.ConnectionError() if _never_connected(failure):
            return NotSent("ConnectError")
    return OutcomeUnknown(type(failure).__name__)


def _answered(status: object, code: object, message: object) -> Outcome:
    if status in {401, 403}:
        return NotSent("misconfigured")
    if status == requests.codes.too_many_requests:
        return RateLimited()
    if code == "704":
        # "Request already processed or in progress": the same key answers later.
        return InProgress()
    kind = message.get("errorType") if isinstance(message, dict) else None
    if status in {400, 422} and kind == "validation":
        return Declined(f"refused_{word(code)}")
    answered = status in {400, 422}
    return OutcomeUnknown(f"http_{status}:{word(code)}", answered=answered)


def _never_connected(failure: Exception) -> bool:
    cause = failure.args[0] if failure.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
