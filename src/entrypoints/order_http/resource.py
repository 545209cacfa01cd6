"""One address of the API: which methods it takes, and what every method checks first."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from order_http.authentication import authenticate, check_scope
from order_http.desk import Desk
from order_http.endpoint import Endpoint, Guarded, Handler, check_guarded
from order_http.problems import FieldError, invalid

_LONGEST_NAME: Final = 64
"""Of a parameter that is not known; no more of it is said back."""


def routes_of(endpoints: Iterable[Endpoint], desk: Desk) -> list[BaseRoute]:
    """One route for each path of the table, in the order in which the paths come first.

    Raises:
        UnguardedRoute: one of them does not say what keeps strangers out.
        ValueError: two have the same method and path.
    """
    resources: dict[str, Resource] = {}
    for endpoint in endpoints:
        check_guarded(endpoint)
        resources.setdefault(endpoint.path, Resource(desk)).add(endpoint)
    return [ExactRoute(path, resource) for path, resource in resources.items()]


class ExactRoute(Route):
    """Starlette's also takes the path with a line break behind it, which no proxy would guard."""

    def __init__(self, path: str, endpoint: Callable[..., Any]) -> None:
        super().__init__(path, endpoint)
        self.path_regex = re.compile(self.path_regex.pattern.removesuffix("$") + r"\Z")


class Resource:
    """An ASGI application for one path.

    One for each path, not one for each method: Starlette's 405 would name only the methods
    of the first route that has the path.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._handlers: dict[str, Handler] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Take requests with the method of `endpoint`, and HEAD where it is GET."""
        if endpoint.method in self._handlers:
            raise ValueError(f"{endpoint.method} {endpoint.path} is there twice.")
        handler = (
            _guard(self._desk, endpoint) if isinstance(endpoint, Guarded) else endpoint.handler
        )
        self._handlers[endpoint.method] = handler
        if endpoint.method == "GET":
            self._handlers["HEAD"] = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._handlers.get(scope["method"])
        if handler is None:
            raise HTTPException(405, headers={"Allow": ", ".join(self._handlers)})
        response = await handler(Request(scope, receive, send))
        await response(scope, receive, send)


def _guard(desk: Desk, endpoint: Guarded) -> Handler:
    async def handler(request: Request) -> Response:
        principal = await authenticate(request, desk.verifier)
        if desk.limits:
            # Before the scope: what is refused for the lack of it counts as asked, too.
            await desk.limits.admit_customer(request, principal)
        check_scope(principal, endpoint.scope)
        if (query := request.scope["query_string"]) and (
            unknown := _names_in(query) - endpoint.query
        ):
            known = (
                f"one of {', '.join(sorted(endpoint.query))}"
                if endpoint.query
                else "left out: none is known"
            )
            name = min(unknown)[:_LONGEST_NAME]
            raise invalid([FieldError(f"?{name}", "unknown_parameter", f"must be {known}")])
        return await endpoint.work(desk, request, principal)

    return handler


@lru_cache(maxsize=256)
def _names_in(query_string: bytes) -> frozenset[str]:
    return frozenset(QueryParams(query_string))
