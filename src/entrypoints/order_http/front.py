"""What stands before every address: the rules that hold for all of them, and the way to each."""

import time

from starlette.applications import Starlette
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from order_http.arrival import note_arrival
from order_http.exchange import Exchange, Rules
from order_http.last_resort import last_word
from order_http.problems import problem_response
from order_http.request_id import current_request_id
from order_http.route_finder import RouteFinder
from order_http.single_headers import check_host, check_single

_RAISED = "order_http.raised"


class FrontedApp(Starlette):
    """Starlette, with our rules in place of a middleware for each.

    What a host adds to it (middleware, handlers of exceptions) works as it does in any other.
    """

    rules: Rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # Before a middleware of the host, which may read the body.
            note_arrival(scope)
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        app: ASGIApp = _Front(self, self.rules)
        if not self.user_middleware:
            return app
        for cls, args, kwargs in reversed(self.user_middleware):
            app = cls(app, *args, **kwargs)
        return ServerErrorMiddleware(app)


class _Front:
    def __init__(self, app: Starlette, rules: Rules) -> None:
        self._rules = rules
        self._router = app.router
        self._finder = RouteFinder(app.routes)
        handlers = {
            error: handler
            for error, handler in app.exception_handlers.items()
            # Of these, nothing comes so far.
            if error not in {500, Exception}
        }
        self._answer_error = ExceptionMiddleware(_raise_again, handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            seen = self._rules.proxies.told(scope) if scope["type"] == "websocket" else scope
            await self._router(seen, receive, send)
            return
        exchange = Exchange(self._rules, scope, receive, send)
        token = current_request_id.set(exchange.request_id)
        began = time.perf_counter()
        try:
            await self._answer(exchange)
        finally:
            seconds = time.perf_counter() - began
            self._rules.log.tell(exchange.scope, exchange.request_id, exchange.status, seconds)
            current_request_id.reset(token)

    async def _answer(self, exchange: Exchange) -> None:
        """Whatever happens, there is an answer."""
        rules, scope = self._rules, exchange.scope
        try:
            if rules.cors is not None and (preflight := rules.cors.preflight(scope)):
                await preflight(scope, exchange.receive, exchange.send)
                return
            if rules.addresses is not None:
                must_return = await rules.addresses.admit(scope, exchange.first)
            else:
                must_return = False
            rules.headers.check(scope)
            check_host(scope, exchange.first)
            check_single(scope["headers"], exchange.first)
            rules.body.check_announced(exchange.first)
            exchange.has_limits = must_return
            await self._work(exchange)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told in our words
            problem = last_word(error, has_begun=exchange.status is not None)
            exchange.has_limits = False
            await problem_response(problem)(scope, exchange.receive, exchange.send)

    async def _work(self, exchange: Exchange) -> None:
        """The endpoint's answer, or that to what it raised."""
        scope = exchange.scope
        try:
            await self._endpoint_of(scope)(scope, exchange.receive, exchange.send)
        except Exception as error:
            if exchange.status is not None:
                raise
            scope[_RAISED] = error
            await self._answer_error(scope, exchange.receive, exchange.send)
        finally:
            exchange.release_body()

    def _endpoint_of(self, scope: Scope) -> ASGIApp:
        """Whoever answers; he is told of it in `scope` as Starlette's router would."""
        # Inside another application, the path begins with what is not ours.
        inside = scope.get("root_path") or "router" in scope
        found = None if inside else self._finder.find(scope["path"])
        if found is None:
            return self._router
        route, scope["path_params"] = found
        scope["router"] = self._router
        scope["route"] = route
        scope["endpoint"] = route.endpoint
        return route.app


async def _raise_again(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """So that Starlette finds the handler, as it does for any application."""
    error: Exception = scope.pop(_RAISED)
    raise error
