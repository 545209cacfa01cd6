"""What it means that a call ended without an answer that can be used."""

from collections.abc import Mapping
from typing import Final

import httpx
from square.core.api_error import ApiError

from order_core.outcomes import InProgress, NotSent, Outcome, OutcomeUnknown, RateLimited
from order_square.refusals import declined
from order_square.requests import RequestImpossible
from order_square.sightings import Unreadable, code

_NEVER_CONNECTED: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_LONGEST_WAIT_SECONDS: Final = 3600.0
_FIRST_SERVER_ERROR: Final = 500


def outcome_of(failure: Exception) -> Outcome:
    """The outcome of a request that ended with `failure`; nothing of its text is kept."""
    match failure:
        case RequestImpossible():
            return NotSent(str(failure))
        case ApiError():
            return _answered(failure)
        case _ if isinstance(failure, _NEVER_CONNECTED):
            return NotSent(reason_of(failure))
    return OutcomeUnknown(reason_of(failure))


def reason_of(failure: Exception) -> str:
    """Why there is no answer that can be used, in words that hold nothing of Square's text."""
    match failure:
        case ApiError():
            codes = _codes(failure.body)
            return f"http_{failure.status_code}:{code(codes[0]) if codes else 'no_code'}"
        case Unreadable():
            return "unreadable_answer"
    return type(failure).__name__


def is_unknown_id(failure: Exception) -> bool:
    """Whether Square does not know the object that was asked for by its id, in this account."""
    if not isinstance(failure, ApiError) or failure.status_code != httpx.codes.NOT_FOUND:
        return False
    return "NOT_FOUND" in _codes(failure.body)


def _answered(error: ApiError) -> Outcome:
    match error.status_code:
        case 401 | 403:
            return NotSent("misconfigured")
        case 429:
            return RateLimited(_wait_seconds(error.headers))
    codes = _codes(error.body)
    if error.status_code == httpx.codes.CONFLICT and "IDEMPOTENCY_KEY_REUSED" not in codes:
        return InProgress()
    refusals = [declined(word, _payment_id(error.body)) for word in codes]
    if _is_refusal(error.status_code) and refusals and refusals[0] and all(refusals):
        return refusals[0]
    return OutcomeUnknown(reason_of(error), answered=_is_refusal(error.status_code))


def _is_refusal(status: int | None) -> bool:
    # A 408 and a 5xx can carry any code; the money may have moved all the same.
    return (
        status is not None
        and httpx.codes.BAD_REQUEST <= status < _FIRST_SERVER_ERROR
        and status != httpx.codes.REQUEST_TIMEOUT
    )


def _codes(body: object) -> list[str]:
    errors = body.get("errors") if isinstance(body, Mapping) else None
    if not isinstance(errors, list):
        return []
    return [str(error.get("code")) for error in errors if isinstance(error, Mapping)]


def _payment_id(body: object) -> str | None:
    payment = body.get("payment") if isinstance(body, Mapping) else None
    reference = payment.get("id") if isinstance(payment, Mapping) else None
    return reference if isinstance(reference, str) else None


def _wait_seconds(headers: Mapping[str, str] | None) -> float | None:
    try:
        seconds = float((headers or {}).get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _LONGEST_WAIT_SECONDS else None
