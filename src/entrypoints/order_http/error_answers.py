"""From an exception to the problem document that its client gets."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from order_core import errors
from order_http.price_problem import price_mismatch
from order_http.problem_codes import CODE_OF_ERROR, CODES
from order_http.problems import (
    FieldError,
    Problem,
    all_named,
    field_error,
    invalid,
    outcome_unknown,
    problem_response,
    sentence,
)

_SAYING_NO: Final = {
    "cannot_cancel": "the order cannot be cancelled",
    "cannot_process": "the order cannot be processed",
    "cannot_ship": "the order cannot be shipped",
    "cannot_deliver": "the order cannot be delivered",
    "cannot_refund": "the order cannot be refunded",
    "cannot_review": "there is nothing to review",
}
# "Nothing happened" would be a lie to a repeat: what the first request with its key came to is
# just what cannot be read now, and the client would order again with another.
_REPEAT: Final = (
    "Repeat the request, with the same Idempotency-Key if it had one: the answer tells what "
    "became of an earlier one."
)
_COME_BACK: Final[dict[type[errors.OrderCoreError], tuple[str, str]]] = {
    errors.StoreUnavailable: (f"The store did not answer. {_REPEAT}", "2"),
    errors.ProviderUnavailable: (
        "The payment provider cannot be asked at present. Nothing happened.",
        "60",
    ),
    errors.WebhookUnverifiable: (
        "The event cannot be verified just now. Send it again later.",
        "60",
    ),
    errors.TokenUnverifiable: (
        f"The bearer token cannot be checked just now. {_REPEAT}",
        "10",
    ),
}
"""What to say, and after how many seconds it makes sense to try again."""
_BEFORE_THE_COLON: Final = (
    "names a provider that is not known here; a token with a colon needs its provider before it, "
    "also the default one"
)
_CODE_OF_STATUS: Final = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


def problem_of(error: errors.OrderCoreError) -> Problem:
    """How this service tells a client of an error of the core.

    Raises:
        KeyError: the error was never meant for a client.
    """
    code = CODE_OF_ERROR[type(error)]
    match error:
        case errors.InvalidValue():
            return invalid([field_error(error)])
        case errors.OrderNotFound() | errors.NotTheOwner() | errors.WebhookRejected():
            # Why an event was rejected is for the log: a forger would learn from it.
            return Problem(code, CODES[code][1] + ".")
        case (
            errors.CannotCancel()
            | errors.CannotProcess()
            | errors.CannotShip()
            | errors.CannotDeliver()
            | errors.CannotRefund()
            | errors.CannotReview()
        ):
            return refused_by_rule(code, error.reason, error.because)
        case errors.PriceMismatch():
            return price_mismatch(error)
        case errors.QuoteRefused():
            return all_named(code, [field_error(refusal) for refusal in error.refusals])
        case errors.UnknownProvider():
            wrong = FieldError("/payment_method", code, _BEFORE_THE_COLON)
            return Problem(code, CODES[code][1] + ".", field_errors=[wrong])
        case errors.RequestInProgress():
            headers = {"Retry-After": str(error.retry_after_seconds)}
            return Problem(code, str(error), headers=headers)
        case (
            errors.StoreUnavailable()
            | errors.ProviderUnavailable()
            | errors.WebhookUnverifiable()
            | errors.TokenUnverifiable()
        ):
            detail, seconds = _COME_BACK[type(error)]
            return Problem(code, detail, headers={"Retry-After": seconds})
        case errors.CommitUnknown() | errors.ConcurrentUpdate():
            return outcome_unknown()
        case _:
            return Problem(code, sentence(str(error)))


def refused_by_rule(code: str, reason: str, because: str) -> Problem:
    """A rule about orders says no; `reason` is stable for programs."""
    return Problem(code, sentence(f"{_SAYING_NO[code]}: {because}"), members={"reason": reason})


async def answer_problem(_: Request, error: Exception) -> Response:
    """Exception handler for `Problem`."""
    if not isinstance(error, Problem):
        raise TypeError(type(error).__name__)
    return problem_response(error)


async def answer_core_error(_: Request, error: Exception) -> Response:
    """Exception handler for everything that the core raises on purpose."""
    if not isinstance(error, errors.OrderCoreError) or type(error) not in CODE_OF_ERROR:
        raise error
    return problem_response(problem_of(error))


async def answer_http_exception(_: Request, error: Exception) -> Response:
    """Exception handler for what Starlette itself refuses."""
    if not isinstance(error, HTTPException):
        raise TypeError(type(error).__name__)
    code = _CODE_OF_STATUS.get(error.status_code, "bad_request")
    problem = Problem(code, CODES[code][1] + ".", headers=error.headers)
    return problem_response(problem)
