"""Square's errors."""

from typing import Any

from order_emulators.chassis import Answer


class Refusal(Exception):
    """Square says no: `code` and `category` are its words, `payment` the one that failed."""

    def __init__(
        self,
        status: int,
        code: str,
        category: str = "INVALID_REQUEST_ERROR",
        *,
        field: str | None = None,
        payment: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        error = {"category": category, "code": code, "detail": f"Emulated: {code}."}
        self.body: dict[str, Any] = {"errors": [error | ({"field": field} if field else {})]}
        if payment is not None:
            self.body["payment"] = payment

    def answer(self) -> Answer:
        return Answer.of_json(self.status, self.body)


def unusable(code: str, field: str) -> Refusal:
    """A field that Square cannot take."""
    return Refusal(400, code, field=field)


def not_found() -> Refusal:
    """There is nothing of this id."""
    return Refusal(404, "NOT_FOUND")


def in_wrong_state(field: str) -> Refusal:
    """The payment has gone too far, or not far enough."""
    return Refusal(400, "BAD_REQUEST", field=field)


SERVER_ERROR = Refusal(500, "INTERNAL_SERVER_ERROR", "API_ERROR")
RATE_LIMITED = Refusal(429, "RATE_LIMITED", "RATE_LIMIT_ERROR")
UNAUTHORIZED = Refusal(401, "UNAUTHORIZED", "AUTHENTICATION_ERROR")
KEY_REUSED = Refusal(400, "IDEMPOTENCY_KEY_REUSED", field="idempotency_key")
KEY_RUNNING = Refusal(409, "CONFLICT", field="idempotency_key")
VERSION_CHANGED = Refusal(409, "CONFLICT", field="version_token")
