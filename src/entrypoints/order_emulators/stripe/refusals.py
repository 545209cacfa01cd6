"""Stripe's errors, as it words them."""

from dataclasses import replace
from typing import Any

from order_emulators.chassis import Answer


class Refusal(Exception):
    """The answer is an error.

    `kept` says whether it is remembered under the idempotency key: what fails while it is
    carried out is, what fails the check of its parameters is not. What leaves no trace was not
    looked at, because its key belongs to another request.
    """

    def __init__(
        self,
        status: int,
        error: dict[str, Any],
        *,
        kept: bool = True,
        leaves_no_trace: bool = False,
    ) -> None:
        super().__init__(error.get("message", ""))
        answer = answered(status, {"error": error})
        self.answer = replace(answer, leaves_no_trace=leaves_no_trace)
        self.kept = kept


def answered(status: int, value: object) -> Answer:
    """An answer with the headers that Stripe sends."""
    return Answer.of_json(
        status, value, request_id="req_emulated", stripe_version="2026-10-28.endive"
    )


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> Refusal:
    """The parameters are wrong; nothing was begun."""
    error: dict[str, Any] = {"type": "invalid_request_error", "message": message}
    if param:
        error["param"] = param
    if code:
        error["code"] = code
    return Refusal(400, error, kept=False)


def missing(what: str, reference: str, param: str, status: int = 404) -> Refusal:
    """There is no such object."""
    return Refusal(
        status,
        {
            "type": "invalid_request_error",
            "code": "resource_missing",
            "message": f"No such {what}: '{reference}'",
            "param": param,
        },
    )


def conflict(code: str, message: str, **more: Any) -> Refusal:  # noqa: ANN401 - members of the error
    """The object's state does not allow it."""
    error = {"type": "invalid_request_error", "code": code, "message": message, **more}
    return Refusal(400, error)


def server_error() -> Answer:
    """Stripe's 500."""
    return answered(
        500, {"error": {"type": "api_error", "message": "An unexpected error occurred."}}
    )


def rate_limited() -> Answer:
    """Stripe's 429."""
    return answered(
        429,
        {
            "error": {
                "type": "invalid_request_error",
                "code": "rate_limit",
                "message": "Request rate limit exceeded.",
            }
        },
    )
