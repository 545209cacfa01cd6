"""One address of the API: which methods it takes, and what every method checks first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from order_core.assembly import OrderCore
from order_core.ports.token_verifier import Principal, TokenVerifier
from order_http.authentication import authenticate
from order_http.in_flight import InFlight
from order_http.problems import FieldError, invalid
from order_http.settings import HttpSettings

Handler = Callable[[Request], Awaitable[Response]]


class Resource:
    """An ASGI application for one path.

    One for each path, not one for each method: Starlette's 405 would name only the methods
    of the first route that has the path.
    """

    def __init__(self, *, get: Handler | None = None, post: Handler | None = None) -> None:
        self._handlers: dict[str, Handler] = {}
        if get:
            self._handlers |= {"GET": get, "HEAD": get}
        if post:
            self._handlers["POST"] = post

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._handlers.get(scope["method"])
        if handler is None:
            raise HTTPException(405, headers={"Allow": ", ".join(self._handlers)})
        response = await handler(Request(scope, receive, send))
        if scope["method"] == "HEAD":
            # Not every server drops it; Content-Length stays that of the GET.
            response.body = b""
        await response(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Desk:
    """What every endpoint works with."""

    core: OrderCore
    verifier: TokenVerifier
    settings: HttpSettings
    in_flight: InFlight

    def guarded(
        self,
        scope: str,
        endpoint: Callable[["Desk", Request, Principal], Awaitable[Response]],
        *,
        query: frozenset[str] = frozenset(),
    ) -> Handler:
        """`endpoint` for callers with `scope`; a query parameter not in `query` is refused."""

        async def handler(request: Request) -> Response:
            principal = await authenticate(request, self.verifier, scope)
            if set(request.query_params) - query:
                known = f"one of {', '.join(sorted(query))}" if query else "left out: none is known"
                raise invalid([FieldError("?", "unknown_parameter", f"must be {known}")])
            return await endpoint(self, request, principal)

        return handler


ORDER_PATH: Final = "/api/orders/{order_id}"


def address_of(request: Request, order_id: str) -> str:
    """Where the order is, under whatever path this application is mounted."""
    root: str = request.scope.get("root_path", "")
    return root + ORDER_PATH.replace("{order_id}", order_id)
