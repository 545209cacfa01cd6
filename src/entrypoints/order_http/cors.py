"""Lets the pages of configured origins call the API."""

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from order_http.problems import Problem, problem_response

_ASKS: Final = ("Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id")
_SHOWS: Final = (
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)


class Cors(CORSMiddleware):
    """Starlette's, with a problem document where it would answer plain text."""

    def __init__(self, app: ASGIApp, *, origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=_ASKS,
            expose_headers=_SHOWS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:  # noqa: PLR2004 - where errors begin
            return answer
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name not in {"content-length", "content-type"}
        }
        refusal = Problem(
            "bad_request", "This origin, method or header is not allowed.", headers=kept
        )
        return problem_response(refusal)
