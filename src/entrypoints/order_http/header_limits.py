"""Refuses a request with a longer address, or more headers, than anybody needs."""

from itertools import chain

from starlette.types import Scope

from order_http.problems import Problem


class HeaderLimits:
    """Counts what the server has already read, before anything else looks at it."""

    def __init__(self, *, max_headers: int, max_bytes: int) -> None:
        self._max_headers = max_headers
        self._max_bytes = max_bytes

    def check(self, scope: Scope) -> None:
        """Raises Problem when there is too much of it."""
        headers = scope["headers"]
        if len(headers) > self._max_headers:
            raise Problem("headers_too_large", f"At most {self._max_headers} headers are read.")
        size = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
        if size + sum(map(len, chain.from_iterable(headers))) > self._max_bytes:
            raise Problem(
                "headers_too_large",
                "The address and all headers together must not be larger than "
                f"{self._max_bytes} bytes.",
            )
