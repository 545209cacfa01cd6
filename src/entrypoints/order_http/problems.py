"""Every error of the service, as an RFC 9457 problem document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.responses import Response

from order_core.errors import InvalidValue
from order_http.problem_codes import CODES, type_of
from order_http.request_id import current_request_id

MEDIA_TYPE: Final = "application/problem+json"
MOST_FIELD_ERRORS: Final = 20
_LONGEST_NAME: Final = 64


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
    return all_named("invalid_request", field_errors)


def all_named(
    code: str, field_errors: Sequence[FieldError], members: Mapping[str, Any] | None = None
) -> Problem:
    """The problem `code`, with every value that is to blame."""
    count = len(field_errors)
    detail = field_errors[0].detail if count == 1 else f"{count} values break a rule."
    if count > MOST_FIELD_ERRORS:
        detail += f" The first {MOST_FIELD_ERRORS} are listed."
    return Problem(code, sentence(detail), field_errors=field_errors, members=members)


def outcome_unknown() -> Problem:
    """The request may have been carried out, or will be."""
    return Problem(
        "outcome_unknown",
        "The request may have been carried out. Repeat it with the same Idempotency-Key; "
        "if it had none, look at your orders of every status first.",
        headers={"Retry-After": "5"},
    )


def field_error(refusal: InvalidValue) -> FieldError:
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


def sentence(text: str) -> str:
    """`text` with a capital and a full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."
