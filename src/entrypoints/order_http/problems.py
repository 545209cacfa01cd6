"""Every error of the service, as an RFC 9457 problem document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from order_core import errors
from order_http.request_id import current_request_id

MEDIA_TYPE: Final = "application/problem+json"
MOST_FIELD_ERRORS: Final = 20

CODES: Final[dict[str, tuple[int, str]]] = {
    "bad_request": (400, "The request cannot be understood"),
    "malformed_json": (400, "The body is not JSON that this service reads"),
    "invalid_idempotency_key": (400, "The Idempotency-Key is not a key"),
    "token_missing": (401, "A bearer token is needed"),
    "invalid_token": (401, "The bearer token proves nothing"),
    "payment_declined": (402, "The payment was declined"),
    "payment_failed": (402, "The payment did not happen"),
    "insufficient_scope": (403, "The token does not permit this"),
    "not_your_order": (403, "The order is another customer's"),
    "order_not_found": (404, "There is no such order"),
    "not_found": (404, "There is nothing at this address"),
    "method_not_allowed": (405, "This address does not take this method"),
    "body_too_slow": (408, "The body took too long to arrive"),
    "cannot_cancel": (409, "The order cannot be cancelled any more"),
    "possible_duplicate": (409, "An equal order was placed a moment ago"),
    "payment_method_in_use": (409, "The payment method already pays another order"),
    "request_in_progress": (409, "The first request with this key is still running"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body must be application/json"),
    "invalid_request": (422, "The request breaks a rule"),
    "idempotency_key_reused": (422, "The Idempotency-Key was used for another request"),
    "price_mismatch": (422, "A price is not the shop's price"),
    "unknown_provider": (422, "There is no such payment provider here"),
    "raw_card_number": (422, "Card numbers are not accepted"),
    "headers_too_large": (431, "The headers are too large"),
    "internal_error": (500, "Something went wrong here"),
    "store_unavailable": (503, "Nothing happened; try again"),
    "overloaded": (503, "Nothing happened; try again"),
    "outcome_unknown": (503, "The outcome is not known yet"),
    "not_ready": (503, "The service is not ready"),
}
"""Code -> HTTP status and title. A code means one thing for ever."""

CODE_OF_ERROR: Final[dict[type[errors.OrderCoreError], str]] = {
    errors.InvalidValue: "invalid_request",
    errors.OrderNotFound: "order_not_found",
    errors.NotTheOwner: "not_your_order",
    errors.CannotCancel: "cannot_cancel",
    errors.PriceMismatch: "price_mismatch",
    errors.UnknownProvider: "unknown_provider",
    errors.PossibleDuplicate: "possible_duplicate",
    errors.PaymentMethodInUse: "payment_method_in_use",
    errors.PaymentReferenceTaken: "payment_method_in_use",
    errors.IdempotencyKeyReused: "idempotency_key_reused",
    errors.RequestInProgress: "request_in_progress",
    # Lost again and again: what the last attempt left behind is for a repetition to find.
    errors.ConcurrentUpdate: "outcome_unknown",
    errors.StoreUnavailable: "store_unavailable",
    errors.CommitUnknown: "outcome_unknown",
    errors.InvalidToken: "invalid_token",
}
"""What each error of the core is called here. One that is missing is a bug: 500."""

_CODE_OF_STATUS: Final = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


def type_of(code: str) -> str:
    """The problem's `type`: the same for ever, so programs may compare it."""
    return f"urn:order-core:problem:{code}"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value. Holds nothing of the value itself."""

    pointer: str
    """JSON pointer into the body, or `?name` for a query parameter."""
    code: str
    detail: str


class Problem(Exception):
    """An answer that is a problem; `code` decides its status and title.

    `detail` and `field_errors` never hold a value from the request: it may be a secret.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        field_errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.field_errors = tuple(field_errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    @property
    def status(self) -> int:
        return CODES[self.code][0]


def problem_response(problem: Problem) -> Response:
    """The problem as an answer to the current request."""
    status, title = CODES[problem.code]
    document: dict[str, Any] = {
        "type": type_of(problem.code),
        "title": title,
        "status": status,
        "detail": problem.detail,
        "instance": f"urn:order-core:request:{current_request_id.get()}",
        "code": problem.code,
        **problem.members,
    }
    if problem.field_errors:
        document["errors"] = [
            {"pointer": error.pointer, "code": error.code, "detail": error.detail}
            for error in problem.field_errors[:MOST_FIELD_ERRORS]
        ]
    return Response(orjson.dumps(document), status, problem.headers, MEDIA_TYPE)


def invalid(field_errors: Sequence[FieldError]) -> Problem:
    """A 422 that names every broken rule."""
    count = len(field_errors)
    detail = field_errors[0].detail if count == 1 else f"{count} values break a rule."
    if count > MOST_FIELD_ERRORS:
        detail += f" The first {MOST_FIELD_ERRORS} are listed."
    return Problem("invalid_request", _sentence(detail), field_errors=field_errors)


def problem_of(error: errors.OrderCoreError) -> Problem:
    """How this service tells a client of an error of the core.

    Raises:
        KeyError: the error was never meant for a client.
    """
    code = CODE_OF_ERROR[type(error)]
    match error:
        case errors.InvalidValue():
            return invalid([field_error(error)])
        case errors.OrderNotFound() | errors.NotTheOwner():
            return Problem(code, CODES[code][1] + ".")
        case errors.CannotCancel():
            detail = _sentence(f"the order cannot be cancelled: {error.because}")
            return Problem(code, detail, members={"reason": error.reason})
        case errors.PriceMismatch():
            costs = f"costs {error.right_price}" if error.right_price else "is not for sale"
            wrong = FieldError(f"/items/{error.index}/price", code, f"the product {costs}")
            return Problem(code, _sentence(wrong.detail), field_errors=[wrong])
        case errors.UnknownProvider():
            wrong = FieldError("/payment_method", code, "names a provider that is not known here")
            return Problem(code, CODES[code][1] + ".", field_errors=[wrong])
        case errors.RequestInProgress():
            headers = {"Retry-After": str(error.retry_after_seconds)}
            return Problem(code, str(error), headers=headers)
        case errors.StoreUnavailable():
            return Problem(code, "The store did not answer.", headers={"Retry-After": "2"})
        case errors.CommitUnknown() | errors.ConcurrentUpdate():
            return outcome_unknown()
        case _:
            return Problem(code, _sentence(str(error)))


def outcome_unknown() -> Problem:
    """The request may have been carried out, or will be."""
    return Problem(
        "outcome_unknown",
        "The request may have been carried out. Repeat it with the same Idempotency-Key; "
        "if it had none, look at your orders of every status first.",
        headers={"Retry-After": "5"},
    )


def field_error(refusal: errors.InvalidValue) -> FieldError:
    """The core's refusal of a value, in the words of a problem document."""
    return FieldError(pointer_to(refusal.field), refusal.code, refusal.because)


def pointer_to(field: Sequence[str | int]) -> str:
    """The JSON pointer of a path, cut before a name that is not a plain word.

    Names inside an address or of unknown fields come from the request, and may be anything.
    """
    pointer = ""
    for step in field:
        plain = isinstance(step, int) or (
            len(step) <= _LONGEST_NAME and step.isidentifier() and step.isascii()
        )
        if not plain:
            break
        pointer += f"/{step}"
    return pointer


_LONGEST_NAME: Final = 64


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


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."
