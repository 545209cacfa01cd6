"""Lets the pages of configured origins call the API."""

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

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
    """What Starlette's says, with a problem document where it would answer plain text."""

    def __init__(self, *, origins: tuple[str, ...]) -> None:
        super().__init__(
            _nobody,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=_ASKS,
            expose_headers=_SHOWS,
        )

    def preflight(self, scope: Scope) -> Response | None:
        """The answer to a browser that asks whether it may ask; None to everybody else."""
        headers = Headers(scope=scope)
        asks = "origin" in headers and "access-control-request-method" in headers
        return self.preflight_response(headers) if asks and scope["method"] == "OPTIONS" else None

    async def allow(self, start: Message, scope: Scope) -> None:
        """Write into the `start` of an answer whose pages may read it."""
        await self.send(start, _nothing, Headers(scope=scope))

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


async def _nobody(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    raise AssertionError("nothing stands behind this")


async def _nothing(message: Message) -> None:
    """Whoever asks sends it himself."""
