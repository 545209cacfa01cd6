"""Refuses a request with a longer address, or more headers, than anybody needs."""

from starlette.types import ASGIApp, Receive, Scope, Send

from order_http.problems import Problem


class HeaderLimits:
    """Counts what the server has already read, before anything else looks at it."""

    def __init__(self, app: ASGIApp, *, max_headers: int, max_bytes: int) -> None:
        self._app = app
        self._max_headers = max_headers
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = scope["headers"]
            if len(headers) > self._max_headers:
                raise Problem("headers_too_large", f"At most {self._max_headers} headers are read.")
            size = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
            if size + sum(len(name) + len(value) for name, value in headers) > self._max_bytes:
                raise Problem(
                    "headers_too_large",
                    "The address and all headers together must not be larger than "
                    f"{self._max_bytes} bytes.",
                )
        await self._app(scope, receive, send)
